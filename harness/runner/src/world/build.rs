//! Puts the nodes of a world on its network.

pub(crate) mod outside;
mod recorder;
mod relay;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::attack::Place;
use model::identity::{DeviceId, Node};
use model::plan::{NetKind, Path, Plan, Target, User, Verb};
use model::record::{DroppedBy, Link, StepRecord, Stumble};
use model::release::{Feature, Release};
use model::{Role, UserId};
use net::{
    AccessLink, Authority, CaptureFile, LoopbackOptions, MemoryOptions, Network, TlsClient, WebSocket,
    accept_tls, accept_websocket, connect_tls, connect_websocket,
};
use nodes::bridge::Ground;
use nodes::call_service::{CallService, CallServiceSetup, Dial, Tamper};
use nodes::client::{Client, ClientSetup};
use nodes::entropy::Entropy;
use nodes::forwarder;
use nodes::journal::{Journal, Owner};
use nodes::media_processor;
use nodes::mitm::{Mallory, MallorySetup};
use nodes::policy_server::{AdminClient, PolicyServer, Tokens};
use nodes::recorder::Recorder;
use outside::{Outside, Person};

use super::calls::Placed;
use super::policy::Reader;
use super::{Job, MEMORY_EPOCH_NS};

/// The port of every service in memory.
const HTTPS: u16 = 443;
/// The same over real sockets, where lower ones are for the system's administrator.
const UNPRIVILEGED_HTTPS: u16 = 8_443;
/// Where devices signal.
const SIGNALLING: &str = "/v1";
/// Where media nodes take the call service's link.
const NODE_LINK: &str = "/node";
/// A call in memory, through a relay, or of a client made by others, that is not connected after this long has ended.
const LONG_SET_UP: Duration = Duration::from_secs(10);
/// The same over real sockets without a relay between our own clients.
const LOOPBACK_SET_UP: Duration = Duration::from_secs(3);

/// Why a world could not be built.
#[derive(Debug, thiserror::Error)]
pub(super) enum BuildError {
    #[error("the capture cannot be written ({0}); make room or choose another folder")]
    Capture(io::Error),
    #[error("a connection inside the world failed ({0}); this is a fault of the harness, please report it")]
    Connection(#[from] io::Error),
    #[error("no certificates could be made ({0}); this is a fault of the harness, please report it")]
    Tls(#[from] net::TlsError),
    #[error("the policy server could not be set up ({0}); this is a fault of the harness, please report it")]
    Policy(#[from] nodes::policy_server::StoreError),
}

/// A running world.
pub(super) struct World {
    pub(super) net: Arc<dyn Network>,
    pub(super) journal: Arc<Journal>,
    pub(super) links: Vec<Link>,
    pub(super) clients: BTreeMap<DeviceId, Client>,
    pub(super) policy_server: Arc<PolicyServer>,
    pub(super) tokens: Tokens,
    /// An administrator's way to the policy server: the service's own portal.
    pub(super) admin: AdminClient,
    pub(super) mallory: Option<Mallory>,
    /// The longest way from link to link that the network itself adds.
    pub(super) latency: Duration,
    /// Whether the time is real.
    pub(super) on_sockets: bool,
    pub(super) set_up: Duration,
    pub(super) calls: Vec<Option<Placed>>,
    /// The step that is being played.
    pub(super) playing: Option<usize>,
    pub(super) steps: BTreeMap<usize, StepRecord>,
    pub(super) stumbles: Vec<Stumble>,
    pub(super) recorder: Option<Recorder>,
    /// Clients made by others.
    pub(super) outside: Vec<Arc<Outside>>,
}

/// What every node of a world is made with.
struct Yard<'a> {
    job: &'a Job,
    net: Arc<dyn Network>,
    journal: Arc<Journal>,
    authority: Arc<Authority>,
    trust: TlsClient,
    entropy: Entropy,
    links: Vec<Link>,
    mallory: Option<Mallory>,
    relay: Option<relay::Relay>,
    recorder: Option<recorder::Recording>,
    outside: Vec<Arc<Outside>>,
}

impl World {
    pub(super) async fn build(job: &Job) -> Result<Self, BuildError> {
        let plan = &job.plan;
        let network = plan.network.clone().unwrap_or_default();
        let net = network_of(job)?;
        if let Some(meddler) = &job.meddler {
            meddler.meddle(job, &net);
        }
        let authority = Arc::new(Authority::new(net.epoch_ns())?);
        let trust = authority.client()?;
        let journal = Journal::new(net.clone());
        let entropy = Entropy::new(job.seed);
        let mut yard = Yard {
            job,
            net: net.clone(),
            journal: journal.clone(),
            authority,
            trust,
            entropy,
            links: vec![],
            mallory: None,
            relay: None,
            recorder: None,
            outside: Vec::new(),
        };
        yard.mallory();
        let (policy_server, tokens, policy_address) = yard.policy_server().await?;
        yard.recorder().await?;
        let (service, portal) = yard.call_service().await?;
        yard.relay()?;
        let set_up = match (job.net, plan.path) {
            (NetKind::Memory, _) | (_, Path::Relay) => LONG_SET_UP,
            (NetKind::Loopback, _) if job.outsiders.is_empty() => LOOPBACK_SET_UP,
            (NetKind::Loopback, _) => LONG_SET_UP,
        };
        let mut clients = BTreeMap::new();
        for (device, user) in devices(plan) {
            let link = yard.link(&device.to_string());
            let client = AdminClient { link: link.clone(), server: policy_address, tls: yard.trust.clone() };
            let reader = Reader { client, token: tokens.users[&device.user].clone() };
            let client = yard.client(&device, user, link, service, reader, set_up).await?;
            clients.insert(device, client);
        }
        let on_sockets = job.net == NetKind::Loopback;
        let latency = if on_sockets { 0 } else { network.latency_ms + network.jitter_ms };
        // Registration has arrived before anybody calls.
        let settled = net.now() + Duration::from_millis(latency * 2 + 30);
        net.sleep_until(settled, net::Sleeper::Application).await;
        Ok(Self {
            net,
            journal,
            links: yard.links,
            clients,
            policy_server,
            tokens,
            admin: AdminClient { link: portal, server: policy_address, tls: yard.trust },
            mallory: yard.mallory,
            recorder: yard.recorder.map(|recording| recording.recorder),
            outside: yard.outside,
            latency: Duration::from_millis(latency),
            on_sockets,
            set_up,
            calls: plan.calls.iter().map(|_| None).collect(),
            playing: None,
            steps: BTreeMap::new(),
            stumbles: Vec::new(),
        })
    }
}

fn network_of(job: &Job) -> Result<Arc<dyn Network>, BuildError> {
    let path = job.folder.join(job.files().capture);
    let capture = CaptureFile::create(&path).map_err(BuildError::Capture)?;
    let network = job.plan.network.clone().unwrap_or_default();
    Ok(match job.net {
        NetKind::Memory => net::memory(MemoryOptions {
            seed: job.seed,
            epoch_ns: MEMORY_EPOCH_NS,
            capture: Some(capture),
            latency_ms: network.latency_ms,
            jitter_ms: network.jitter_ms,
            loss: network.loss,
            duplicate: network.duplicate,
        }),
        NetKind::Loopback => {
            net::loopback(LoopbackOptions { capture: Some(capture), ..LoopbackOptions::default() })
        }
    })
}

/// Opens a WebSocket to the node called `name`.
async fn dial(
    trust: &TlsClient,
    from: &Arc<dyn AccessLink>,
    name: &str,
    path: &str,
    to: SocketAddr,
) -> io::Result<WebSocket> {
    let stream = connect_tls(trust, name, from.connect(to).await?).await?;
    connect_websocket(name, path, stream).await
}

/// Every device of a plan with its user, in the order of the names.
fn devices(plan: &Plan) -> Vec<(DeviceId, &User)> {
    let mut devices = Vec::new();
    for (tenant, t) in &plan.tenants {
        for (name, user) in &t.users {
            for (device, _) in &user.devices {
                devices.push((DeviceId { user: UserId::new(name, tenant), device: device.clone() }, user));
            }
        }
    }
    devices
}

/// The first devices of caller and callee of the first call.
pub(crate) fn sides(plan: &Plan) -> Vec<(Role, DeviceId)> {
    let call = plan.steps.iter().find_map(|step| match &step.verb {
        Verb::Call { from, to: Target::Users(users), .. } => Some((from, users.first()?)),
        _ => None,
    });
    let Some((caller, callee)) = call else { return Vec::new() };
    let first = |user: &UserId| devices(plan).into_iter().map(|(device, _)| device).find(|d| d.user == *user);
    [(Role::Caller, first(caller)), (Role::Callee, first(callee))]
        .into_iter()
        .filter_map(|(role, device)| Some((role, device?)))
        .collect()
}

impl Yard<'_> {
    /// Puts Mallory where the plan wants her; on the wire she sits between every two links.
    fn mallory(&mut self) {
        let plan = &self.job.plan;
        if plan.attacks.is_empty() {
            return;
        }
        let sides = sides(plan);
        let mallory = Mallory::new(MallorySetup {
            net: self.net.clone(),
            journal: self.journal.clone(),
            entropy: self.entropy.child(Node::Mallory.word()),
            attacks: plan.attacks.clone(),
            taps: sides.iter().map(|(role, device)| (*role, device.to_string())).collect(),
            users: sides.into_iter().map(|(role, device)| (role, device.user)).collect(),
        });
        if mallory.sits(Place::Wire) {
            self.net.intercept(Box::new(mallory.clone()));
        }
        self.mallory = Some(mallory);
    }

    const fn port(&self) -> u16 {
        match self.job.net {
            NetKind::Memory => HTTPS,
            NetKind::Loopback => UNPRIVILEGED_HTTPS,
        }
    }

    fn link(&mut self, tap: &str) -> Arc<dyn AccessLink> {
        let link = self.net.add_link(tap);
        self.links.push(Link { tap: tap.to_owned(), addresses: vec![link.ip().to_string()] });
        link
    }

    async fn policy_server(&mut self) -> Result<(Arc<PolicyServer>, Tokens, SocketAddr), BuildError> {
        let link = self.link(Node::PolicyServer.word());
        let net = self.net.clone();
        let entropy = self.entropy.child("policy-server");
        let clock = Arc::new(move || net.now());
        let made = PolicyServer::from_plan(&self.job.plan, clock, &mut |bytes| entropy.fill(bytes))?;
        let (server, tokens) = made;
        if let Some(mallory) = &self.mallory {
            server.infiltrate(mallory.clone());
        }
        let tls = self.authority.server(Node::PolicyServer.word(), self.journal.keys(Owner::Service))?;
        let listener = link.listen(self.port()).await?;
        let address = listener.local();
        tokio::spawn(server.clone().serve(listener, tls, self.journal.clone()));
        Ok((server, tokens, address))
    }

    /// A media node, and the call service's way to it; certificate and connection are made once a call needs them.
    async fn media_node(
        &mut self,
        node: Node,
        dropped_by: DroppedBy,
        service: &Arc<dyn AccessLink>,
    ) -> Result<Dial, BuildError> {
        let link = self.link(node.word());
        let mut listener = link.listen(self.port()).await?;
        let address = listener.local();
        let ground = Ground {
            net: self.net.clone(),
            journal: self.journal.clone(),
            entropy: Arc::new(self.entropy.child(node.word())),
            keys: match node {
                Node::Mallory => self.journal.mallorys_keys(),
                // A device made by others need not tell the secret of a hop that the service knows as well.
                _ if !self.job.outsiders.is_empty() => self.journal.hop_keys(),
                _ => self.journal.keys(Owner::Service),
            },
            dropped_by,
            mallory: self.mallory.clone().filter(|_| node == Node::Forwarder),
            recorder: self.recorder_link(node, &link).await?,
            link,
        };
        let (authority, keys) = (self.authority.clone(), self.journal.keys(Owner::Service));
        tokio::spawn(async move {
            let Ok((stream, _)) = listener.accept().await else { return };
            let Ok(tls) = authority.server(node.word(), keys) else { return };
            let Ok(stream) = accept_tls(&tls, stream).await else { return };
            if let Ok(socket) = accept_websocket(NODE_LINK, stream).await {
                match node {
                    Node::MediaProcessor => media_processor::start(ground, socket),
                    _ => forwarder::start(ground, socket),
                }
            }
        });
        let (trust, service) = (self.trust.clone(), service.clone());
        Ok(Box::new(move || {
            Box::pin(async move { dial(&trust, &service, node.word(), NODE_LINK, address).await })
        }))
    }

    async fn call_service(&mut self) -> Result<(SocketAddr, Arc<dyn AccessLink>), BuildError> {
        let link = self.link(Node::CallService.word());
        let mut nodes = Vec::new();
        for (node, dropped_by) in
            [(Node::Forwarder, DroppedBy::Forwarder), (Node::MediaProcessor, DroppedBy::MediaProcessor)]
        {
            nodes.push((node, self.media_node(node, dropped_by, &link).await?));
        }
        if self.mallory.as_ref().is_some_and(Mallory::ends_media) {
            nodes.push((Node::Mallory, self.media_node(Node::Mallory, DroppedBy::Mallory, &link).await?));
        }
        let plan = &self.job.plan;
        let directory = devices(plan).into_iter().map(|(device, user)| (device.user, user.e2ee)).collect();
        let setup = CallServiceSetup {
            net: self.net.clone(),
            journal: self.journal.clone(),
            release: Arc::new(Release::of(plan.release)),
            directory,
            sealed_path: plan.path,
            tamper: self.mallory.clone().map(|mallory| Box::new(mallory) as Box<dyn Tamper>),
            automatic_recording: plan.service.automatic_recording,
        };
        let service = CallService::start(setup, nodes);
        let tls = self.authority.server(Node::CallService.word(), self.journal.keys(Owner::Service))?;
        let mut listener = link.listen(self.port()).await?;
        let address = listener.local();
        tokio::spawn(async move {
            let mut number = 0;
            while let Ok((stream, _)) = listener.accept().await {
                number += 1;
                let (service, tls, number) = (service.clone(), tls.clone(), number);
                tokio::spawn(async move {
                    let Ok(stream) = accept_tls(&tls, stream).await else { return };
                    if let Ok(socket) = accept_websocket(SIGNALLING, stream).await {
                        service.serve(number, socket);
                    }
                });
            }
        });
        Ok((address, link))
    }

    async fn client(
        &mut self,
        device: &DeviceId,
        user: &User,
        link: Arc<dyn AccessLink>,
        service: SocketAddr,
        reader: Reader,
        set_up_timeout: Duration,
    ) -> Result<Client, BuildError> {
        let plan = &self.job.plan;
        let tenant = &plan.tenants[&device.user.tenant];
        let platform =
            user.devices.iter().find(|(name, _)| *name == device.device).map(|(_, platform)| *platform);
        let platform = platform.expect("the device is one of its user's");
        let mut settings = Vec::new();
        if user.voicemail {
            settings.push(Feature::Voicemail);
        }
        if user.simultaneous_ring.is_some() {
            settings.push(Feature::SimultaneousRing);
        }
        if let Some(outsider) = self.job.outsider(device) {
            let person = Person { device, user, platform, tenant_kind: tenant.kind, settings };
            let client = self.outsider(outsider, person, link, service, Arc::new(reader), set_up_timeout);
            return Ok(client.await?);
        }
        let socket = dial(&self.trust, &link, Node::CallService.word(), SIGNALLING, service).await?;
        let setup = ClientSetup {
            net: self.net.clone(),
            link,
            journal: self.journal.clone(),
            entropy: Arc::new(self.entropy.child(&device.to_string())),
            device: device.clone(),
            platform,
            version: user.version,
            preview_ring: user.preview_ring,
            compliance_recording: user.compliance_recording,
            tenant_kind: tenant.kind,
            release: Arc::new(Release::of(plan.release)),
            e2ee: user.e2ee,
            settings,
            profile: plan.profile,
            flaw: user.flaw,
            relay: self.relay.as_ref().and_then(|relay| relay.used_by(device)),
            policy: Arc::new(reader),
            set_up_timeout,
        };
        Ok(Client::start(setup, socket))
    }
}
