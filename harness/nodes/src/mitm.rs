//! Mallory: the man in the middle, on the wire and inside the service.
//!
//! Invariant: on the wire she knows what crosses it and nothing else; every alteration is written down with the hash
//! of what the victim was sent, so that a judge can look for it at the victim's tap.

mod attacks;
mod hand;
mod posing;
mod renumber;
mod reseal;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::attack::{Attack, Place};
use model::plan::AttackPlan;
use model::{Role, UserId};
use net::{Fate, InFlight, Interceptor, Network};

use crate::call_service::Tamper;
use crate::engine::Incoming;
use crate::entropy::Entropy;
use crate::journal::Journal;
use crate::policy_server::EffectivePolicy;
use crate::signalling::Message;

pub use attacks::{options, page};
use hand::{Hand, Scene};

/// What one attack does at the places where it can act; what it leaves alone goes on as it is.
trait Attacker: Send {
    /// A signalling message on its way to a side: what is delivered in its place, and to whom.
    fn message(&mut self, _hand: &mut Hand<'_>, to: Role, message: Message) -> Vec<(Role, Message)> {
        vec![(to, message)]
    }

    /// A packet that came out of SRTP at the forwarder: what goes out in its place, and to whom.
    fn packet(&mut self, _hand: &mut Hand<'_>, from: Role, packet: Incoming) -> Vec<(Role, Incoming)> {
        vec![(from.other(), packet)]
    }

    /// A datagram on the wire between the taps of these sides, if they are any: what is delivered in its place.
    fn datagram(&mut self, _hand: &mut Hand<'_>, _ends: Ends, _datagram: &InFlight) -> Fate {
        Fate::Pass
    }

    /// The policy server's answer about a side's user.
    fn policy(&mut self, _hand: &mut Hand<'_>, _of: Role, answer: EffectivePolicy) -> EffectivePolicy {
        answer
    }

    /// Whether she ends the media of both legs herself.
    fn ends_media(&self) -> bool {
        false
    }

    /// A side has described itself.
    fn announced(&mut self, _by: Role, _sdp: &str) {}
}

/// The sides between which a datagram travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    from: Option<Role>,
    to: Option<Role>,
}

/// Everything that Mallory does in one world; a clone is the same Mallory.
#[derive(Clone)]
pub struct Mallory {
    body: Arc<Mutex<Body>>,
}

struct Body {
    scene: Scene,
    attackers: Vec<(AttackPlan, Box<dyn Attacker>)>,
    /// By attack and side: how many matches there have been.
    matches: BTreeMap<(usize, Role), u64>,
}

/// What Mallory is made of.
pub struct MallorySetup {
    /// Time.
    pub net: Arc<dyn Network>,
    /// Where she writes what she did.
    pub journal: Arc<Journal>,
    /// Her randomness.
    pub entropy: Entropy,
    /// Her deeds.
    pub attacks: Vec<AttackPlan>,
    /// Taps of the caller's and the callee's device.
    pub taps: BTreeMap<Role, String>,
    /// The caller and the callee.
    pub users: BTreeMap<Role, UserId>,
}

impl Mallory {
    /// Mallory with her deeds, not yet in any place.
    pub fn new(setup: MallorySetup) -> Self {
        let attackers = setup.attacks.into_iter().map(|plan| {
            let attacker = attacks::of(&plan);
            (plan, attacker)
        });
        let body = Body {
            attackers: attackers.collect(),
            matches: BTreeMap::new(),
            scene: Scene {
                net: setup.net,
                journal: setup.journal,
                entropy: setup.entropy,
                taps: setup.taps,
                users: setup.users,
                connected: None,
            },
        };
        Self { body: Arc::new(Mutex::new(body)) }
    }

    fn body(&self) -> MutexGuard<'_, Body> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on both sides are connected.
    pub fn connected(&self, now: Duration) {
        self.body().scene.connected.get_or_insert(now);
    }

    /// Whether an attack sits there.
    pub fn sits(&self, place: Place) -> bool {
        self.body().attackers.iter().any(|(plan, _)| plan.place == place)
    }

    /// Whether she ends the media of both legs herself.
    pub fn ends_media(&self) -> bool {
        self.body().attackers.iter().any(|(_, attacker)| attacker.ends_media())
    }

    /// What goes out of the forwarder in place of a packet, and to which side.
    pub fn packet(&self, from: Role, packet: Incoming) -> Vec<(Role, Incoming)> {
        self.body().service(vec![(from.other(), packet)], |attacker, hand, (to, packet)| {
            attacker.packet(hand, to.other(), packet)
        })
    }

    /// The policy server's answer about `user`, as the device is to read it.
    pub fn policy(&self, user: &UserId, answer: EffectivePolicy) -> EffectivePolicy {
        let mut body = self.body();
        let role = body.scene.users.iter().find(|(_, known)| *known == user).map(|(role, _)| *role);
        let Some(role) = role else { return answer };
        let act = |attacker: &mut dyn Attacker, hand: &mut Hand<'_>, answer| {
            vec![attacker.policy(hand, role, answer)]
        };
        body.service(vec![answer], act).pop().expect("one answer goes in and one comes out")
    }
}

impl Body {
    /// Hands something to every attack inside the service, one after the other.
    fn service<T>(
        &mut self,
        mut things: Vec<T>,
        mut act: impl FnMut(&mut dyn Attacker, &mut Hand<'_>, T) -> Vec<T>,
    ) -> Vec<T> {
        for (index, (plan, attacker)) in self.attackers.iter_mut().enumerate() {
            if plan.place != Place::Service {
                continue;
            }
            let mut hand = Hand { index, plan, scene: &self.scene, matches: &mut self.matches };
            things = things.into_iter().flat_map(|thing| act(attacker.as_mut(), &mut hand, thing)).collect();
        }
        things
    }

    fn ends(&self, datagram: &InFlight) -> Ends {
        let side = |tap: Option<&String>| {
            self.scene.taps.iter().find(|(_, known)| Some(*known) == tap).map(|(role, _)| *role)
        };
        Ends { from: side(Some(&datagram.from)), to: side(datagram.to.as_ref()) }
    }
}

impl Tamper for Mallory {
    fn message(&mut self, _call: &str, to: Role, message: Message) -> Vec<(Role, Message)> {
        self.body()
            .service(vec![(to, message)], |attacker, hand, (to, message)| attacker.message(hand, to, message))
    }

    fn ends_media(&self) -> bool {
        Mallory::ends_media(self)
    }

    fn announced(&mut self, by: Role, sdp: &str) {
        for (_, attacker) in &mut self.body().attackers {
            attacker.announced(by, sdp);
        }
    }
}

impl Interceptor for Mallory {
    fn datagram(&mut self, _at: Duration, datagram: &InFlight) -> Fate {
        let mut body = self.body();
        let ends = body.ends(datagram);
        let Body { scene, attackers, matches } = &mut *body;
        for (index, (plan, attacker)) in attackers.iter_mut().enumerate() {
            if plan.place != Place::Wire {
                continue;
            }
            let mut hand = Hand { index, plan, scene, matches };
            let fate = attacker.datagram(&mut hand, ends, datagram);
            if fate != Fate::Pass {
                return fate;
            }
        }
        Fate::Pass
    }
}

/// Places at which an attack can sit.
pub fn places(attack: Attack) -> &'static [Place] {
    match attack {
        Attack::FlipBits | Attack::Replay | Attack::Reflect | Attack::InjectRtp => {
            &[Place::Wire, Place::Service]
        }
        _ => &[Place::Service],
    }
}
