//! What clients ask of the relay, and its answers (RFC 8656 §7 to §12).
//!
//! Invariant: every request gets exactly one answer, and all but Binding are granted to known users only.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Refusal;
use super::allocation::Allocation;
use super::credentials::{Authenticated, REALM};
use super::server::{Bind, CHANNELS, Deed, Server};
use super::stun::{Class, Message, Writer, attribute, method, u16_at, u32_of};

/// The lifetime of an allocation that asks for less (RFC 8656 §7.2).
const LIFETIME: Duration = Duration::from_secs(600);
/// The longest lifetime that is granted (RFC 8656 §7.2).
const LONGEST_LIFETIME: Duration = Duration::from_secs(3_600);
/// REQUESTED-TRANSPORT: UDP (RFC 8656 §18.8).
const UDP: u8 = 17;
/// Attribute types below this have to be understood (RFC 8489 §14).
const OPTIONAL: u16 = 0x8000;
/// What this server understands.
const UNDERSTOOD: [u16; 9] = [
    attribute::USERNAME,
    attribute::CHANNEL_NUMBER,
    attribute::LIFETIME,
    attribute::XOR_PEER_ADDRESS,
    attribute::DATA,
    attribute::REALM,
    attribute::NONCE,
    attribute::XOR_RELAYED_ADDRESS,
    attribute::REQUESTED_TRANSPORT,
];

/// An answer that has got as far as it can without its protection.
type Granted = Result<Writer, Refusal>;

impl Server {
    pub(super) fn request(
        &mut self,
        now: Duration,
        client: SocketAddr,
        request: &Message,
        bind: Bind<'_>,
    ) -> Vec<Deed> {
        let mut deeds = Vec::new();
        let answer = match self.answer(now, client, request, bind, &mut deeds) {
            Ok(answer) => answer,
            Err((refusal, user)) => self.refuse(now, client, request, refusal, user.as_ref()),
        };
        deeds.push(Deed::Send { from: self.address, to: client, bytes: answer });
        deeds
    }

    fn answer(
        &mut self,
        now: Duration,
        client: SocketAddr,
        request: &Message,
        bind: Bind<'_>,
        deeds: &mut Vec<Deed>,
    ) -> Result<Vec<u8>, (Refusal, Option<Authenticated>)> {
        if request.method == method::BINDING {
            let answer = success(request).address(attribute::XOR_MAPPED_ADDRESS, client);
            return Ok(answer.finish());
        }
        let user = self.credentials.check(now, client, request).map_err(|refusal| (refusal, None))?;
        let granted = if unknown(request).is_empty() {
            match request.method {
                method::ALLOCATE => self.allocate(now, client, request, &user, bind),
                method::REFRESH => self.refresh(now, client, request, &user, deeds),
                method::CREATE_PERMISSION => self.create_permission(now, client, request, &user),
                method::CHANNEL_BIND => self.channel_bind(now, client, request, &user),
                _ => Err(Refusal::BAD_REQUEST),
            }
        } else {
            Err(Refusal::UNKNOWN_ATTRIBUTE)
        };
        match granted {
            Ok(answer) => Ok(answer.integrity(&user.key).finish()),
            Err(refusal) => Err((refusal, Some(user))),
        }
    }

    /// An error response; without realm and nonce a client could not try again.
    fn refuse(
        &mut self,
        now: Duration,
        client: SocketAddr,
        request: &Message,
        refusal: Refusal,
        user: Option<&Authenticated>,
    ) -> Vec<u8> {
        let mut answer = Writer::new(request.method, Class::Error, &request.transaction);
        let [hundreds, rest] = [refusal.code / 100, refusal.code % 100].map(|n| n.to_be_bytes()[1]);
        let mut error = vec![0, 0, hundreds, rest];
        error.extend(refusal.phrase.as_bytes());
        answer = answer.attribute(attribute::ERROR_CODE, &error);
        if refusal == Refusal::UNKNOWN_ATTRIBUTE {
            let types: Vec<u8> = unknown(request).into_iter().flat_map(u16::to_be_bytes).collect();
            answer = answer.attribute(attribute::UNKNOWN_ATTRIBUTES, &types);
        }
        if matches!(refusal, Refusal::UNAUTHENTICATED | Refusal::STALE_NONCE) {
            let nonce = self.credentials.nonce(now, client);
            answer = answer.attribute(attribute::REALM, REALM.as_bytes());
            answer = answer.attribute(attribute::NONCE, nonce.as_bytes());
        }
        match user {
            Some(user) => answer.integrity(&user.key).finish(),
            None => answer.finish(),
        }
    }

    /// RFC 8656 §7.2.
    fn allocate(
        &mut self,
        now: Duration,
        client: SocketAddr,
        request: &Message,
        user: &Authenticated,
        bind: Bind<'_>,
    ) -> Granted {
        if let Some(there) = self.allocations.get(&client) {
            let repeated = there.transaction == request.transaction && there.username == user.username;
            return if repeated {
                Ok(allocated(now, client, request, there))
            } else {
                Err(Refusal::MISMATCH)
            };
        }
        match request.attribute(attribute::REQUESTED_TRANSPORT) {
            Some([UDP, _, _, _]) => {}
            Some([_, _, _, _]) => return Err(Refusal::UNSUPPORTED_TRANSPORT),
            _ => return Err(Refusal::BAD_REQUEST),
        }
        let lifetime = lifetime(request)?.unwrap_or(LIFETIME).clamp(LIFETIME, LONGEST_LIFETIME);
        let relayed = bind().ok_or(Refusal::INSUFFICIENT_CAPACITY)?;
        let allocation = Allocation::new(relayed, user.username.clone(), request.transaction, now, lifetime);
        let answer = allocated(now, client, request, &allocation);
        self.allocations.insert(client, allocation);
        Ok(answer)
    }

    /// RFC 8656 §8.2.
    fn refresh(
        &mut self,
        now: Duration,
        client: SocketAddr,
        request: &Message,
        user: &Authenticated,
        deeds: &mut Vec<Deed>,
    ) -> Granted {
        let lifetime = match lifetime(request)?.unwrap_or(LIFETIME) {
            Duration::ZERO => Duration::ZERO,
            asked => asked.clamp(LIFETIME, LONGEST_LIFETIME),
        };
        let allocation = self.allocation(client, user)?;
        allocation.refresh(now, lifetime);
        if lifetime.is_zero() {
            deeds.push(Deed::Released(allocation.relayed));
            self.allocations.remove(&client);
        }
        Ok(success(request).attribute(attribute::LIFETIME, &seconds(lifetime)))
    }

    /// RFC 8656 §10.2: all addresses or none.
    fn create_permission(
        &mut self,
        now: Duration,
        client: SocketAddr,
        request: &Message,
        user: &Authenticated,
    ) -> Granted {
        let allocation = self.allocation(client, user)?;
        let peers = request.addresses(attribute::XOR_PEER_ADDRESS).filter(|peers| !peers.is_empty());
        let peers = peers.ok_or(Refusal::BAD_REQUEST)?;
        for peer in &peers {
            may_be_reached(peer.ip())?;
        }
        peers.iter().for_each(|peer| allocation.permit(now, peer.ip()));
        Ok(success(request))
    }

    /// RFC 8656 §12.2.
    fn channel_bind(
        &mut self,
        now: Duration,
        client: SocketAddr,
        request: &Message,
        user: &Authenticated,
    ) -> Granted {
        let own = self.address;
        let allocation = self.allocation(client, user)?;
        let number = request.attribute(attribute::CHANNEL_NUMBER).and_then(|value| u16_at(value, 0));
        let parts = number.zip(request.address(attribute::XOR_PEER_ADDRESS));
        let (number, peer) = parts.filter(|(n, _)| CHANNELS.contains(n)).ok_or(Refusal::BAD_REQUEST)?;
        may_be_reached(peer.ip())?;
        // What is sent to the server itself would go round for ever.
        if peer == own {
            return Err(Refusal::FORBIDDEN);
        }
        if allocation.bind(now, number, peer) { Ok(success(request)) } else { Err(Refusal::BAD_REQUEST) }
    }

    /// The client's allocation, if it is this user's.
    fn allocation(&mut self, client: SocketAddr, user: &Authenticated) -> Result<&mut Allocation, Refusal> {
        let allocation = self.allocations.get_mut(&client).ok_or(Refusal::MISMATCH)?;
        if allocation.username == user.username { Ok(allocation) } else { Err(Refusal::WRONG_CREDENTIALS) }
    }
}

fn success(request: &Message) -> Writer {
    Writer::new(request.method, Class::Success, &request.transaction)
}

fn allocated(now: Duration, client: SocketAddr, request: &Message, allocation: &Allocation) -> Writer {
    success(request)
        .address(attribute::XOR_RELAYED_ADDRESS, allocation.relayed)
        .attribute(attribute::LIFETIME, &seconds(allocation.lifetime(now)))
        .address(attribute::XOR_MAPPED_ADDRESS, client)
}

/// LIFETIME, where the request has one.
fn lifetime(request: &Message) -> Result<Option<Duration>, Refusal> {
    let value = request.attribute(attribute::LIFETIME);
    let read = |value| u32_of(value).map(|n| Duration::from_secs(n.into())).ok_or(Refusal::BAD_REQUEST);
    value.map(read).transpose()
}

fn seconds(lifetime: Duration) -> [u8; 4] {
    u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX).to_be_bytes()
}

/// Attribute types of a request that would have to be understood and are not (RFC 8489 §6.3.1).
fn unknown(request: &Message) -> Vec<u16> {
    let kinds = request.attributes.iter().map(|(kind, _)| *kind);
    kinds.filter(|kind| *kind < OPTIONAL && !UNDERSTOOD.contains(kind)).collect()
}

/// The relay carries IPv4 to single hosts.
fn may_be_reached(peer: IpAddr) -> Result<(), Refusal> {
    match peer {
        IpAddr::V6(_) => Err(Refusal::PEER_FAMILY),
        IpAddr::V4(ip) if ip.is_multicast() || ip.is_broadcast() || ip.is_unspecified() => {
            Err(Refusal::FORBIDDEN)
        }
        IpAddr::V4(_) => Ok(()),
    }
}
