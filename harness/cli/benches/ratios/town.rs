//! One world of many people who all call at once: the services and reference clients of any world, and a person for
//! each of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::identity::{DeviceId, Node};
use model::plan::{CallKind, Plan, PolicyValue, Profile, User};
use model::record::Claimed;
use model::release::Release;
use model::{Direction, Kind, UserId};
use net::network::Boxed;
use net::{
    AccessLink, Authority, CaptureFile, MemoryOptions, Network, Sleeper, TlsClient, TlsServer, accept_tls,
    accept_websocket, connect_tls, connect_websocket,
};
use nodes::call_service::{CallService, CallServiceSetup};
use nodes::client::{Client, ClientSetup, Command, Stage};
use nodes::entropy::Entropy;
use nodes::journal::{Journal, Owner};
use nodes::policy_client::PolicySource;
use nodes::policy_server::{AdminClient, PolicyServer, Token};
use tokio::sync::oneshot;

use crate::plan;

const TENANT: &str = "contoso.example";
/// The port of the services.
const HTTPS: u16 = 443;
/// Nothing takes longer than this, in the time of the world.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of the calls.
pub struct Met {
    /// The memory when everybody is registered and nobody has called.
    pub idle: f64,
    /// Calls whose media can flow at both devices.
    pub connected: u32,
    /// Locks that are lit.
    pub locks: u32,
    /// Frames that were played.
    pub frames: u32,
}

/// Lets `calls` pairs of people call at once and send `frames` audio frames each way, recorded in `capture`; `memory`
/// is asked on the way.
pub fn run(calls: u32, frames: u32, capture: &Path, memory: &dyn Fn() -> f64) -> Met {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let town = Town::found(calls, capture).await;
        let idle = memory();
        let placed = town.call().await;
        let connected = town.answer(&placed).await;
        town.talk(&placed, frames).await;
        town.net.finish().expect("a capture");
        let notes = town.journal.notes();
        let locks = notes.claims.iter().filter(|claim| claim.claim == Claimed::Lock(true)).count();
        let played = notes.ledger.iter().filter(|entry| entry.direction == Direction::Received).count();
        let count = |number: usize| u32::try_from(number).expect("a few thousand");
        Met { idle, connected, locks: count(locks), frames: count(played) }
    })
}

/// A device's way to the policy server, over its own link.
struct Reader(AdminClient, Token);

impl PolicySource for Reader {
    fn effective<'a>(&'a self, user: &'a UserId) -> Boxed<'a, Option<PolicyValue>> {
        Box::pin(async move { self.0.effective_policy(&self.1, user).await.ok().map(|policy| policy.value) })
    }
}

struct Town {
    net: Arc<dyn Network>,
    journal: Arc<Journal>,
    /// Callers and callees, in the same order.
    callers: Vec<Client>,
    callees: Vec<Client>,
}

/// Where the services are and what leads there.
struct Services {
    policy_server: SocketAddr,
    call_service: SocketAddr,
    trust: TlsClient,
    tokens: BTreeMap<UserId, Token>,
    release: Arc<Release>,
}

/// The plan of one call with its two users many times over, a caller and a callee in turn.
fn crowd(calls: u32) -> (Plan, Vec<UserId>) {
    let mut plan = plan::plan(Profile::Dtls, 1_000);
    let tenant = plan.tenants.get_mut(TENANT).expect("the scenario's tenant");
    let template = tenant.users.values().next().expect("the scenario has users").clone();
    let names: Vec<String> = (0..2 * calls).map(|number| format!("user-{number}")).collect();
    tenant.users = names.iter().map(|name| (name.clone(), template.clone())).collect();
    (plan, names.iter().map(|name| UserId::new(name, TENANT)).collect())
}

impl Town {
    async fn found(calls: u32, capture: &Path) -> Self {
        let net = net::memory(MemoryOptions {
            seed: [1; 32],
            epoch_ns: 1_646_740_800_000_000_000,
            capture: Some(CaptureFile::create(capture).expect("a capture")),
            latency_ms: 12,
            jitter_ms: 0,
            loss: 0.0,
            duplicate: 0.0,
        });
        let (plan, users) = crowd(calls);
        let journal = Journal::new(net.clone());
        let services = serve(&plan, &users, &net, &journal).await;
        let template = plan.tenants[TENANT].users.values().next().expect("a crowd").clone();
        let mut town = Self { net, journal, callers: Vec::new(), callees: Vec::new() };
        for (ordinal, user) in users.into_iter().enumerate() {
            let client = town.client(user, &template, &plan, &services).await;
            if ordinal.is_multiple_of(2) { &mut town.callers } else { &mut town.callees }.push(client);
        }
        town.pause(Duration::from_millis(100)).await;
        town
    }

    async fn client(&self, user: UserId, settings: &User, plan: &Plan, services: &Services) -> Client {
        let token = services.tokens[&user].clone();
        let device = DeviceId::only(user);
        let link = self.net.add_link(&device.to_string());
        let name = Node::CallService.word();
        let stream = link.connect(services.call_service).await.expect("a connection");
        let stream = connect_tls(&services.trust, name, stream).await.expect("TLS");
        let socket = connect_websocket(name, "/v1", stream).await.expect("a WebSocket");
        let admin =
            AdminClient { link: link.clone(), server: services.policy_server, tls: services.trust.clone() };
        let setup = ClientSetup {
            net: self.net.clone(),
            link,
            journal: self.journal.clone(),
            entropy: Arc::new(Entropy::new([2; 32]).child(&device.to_string())),
            device,
            platform: settings.devices.first().expect("a device").1,
            version: settings.version,
            preview_ring: settings.preview_ring,
            compliance_recording: settings.compliance_recording,
            tenant_kind: plan.tenants[TENANT].kind,
            release: services.release.clone(),
            e2ee: settings.e2ee,
            settings: Vec::new(),
            profile: plan.profile,
            flaw: None,
            relay: None,
            policy: Arc::new(Reader(admin, token)),
            set_up_timeout: PATIENCE,
        };
        Client::start(setup, socket)
    }

    async fn pause(&self, time: Duration) {
        self.net.sleep_until(self.net.now() + time, Sleeper::Application).await;
    }

    /// Everybody calls; gives the call ids.
    async fn call(&self) -> Vec<String> {
        let place = |(caller, callee): (&Client, &Client)| {
            let (placed, id) = oneshot::channel();
            let to = vec![callee.device().user.to_string()];
            caller.command(Command::Call {
                to,
                media: vec![Kind::Audio],
                kind: CallKind::Unscheduled,
                placed,
            });
            id
        };
        let placed: Vec<_> = self.callers.iter().zip(&self.callees).map(place).collect();
        let mut ids = Vec::new();
        for id in placed {
            ids.push(id.await.expect("a call that is placed"));
        }
        ids
    }

    /// Everybody who is called answers; says how many calls are connected.
    async fn answer(&self, ids: &[String]) -> u32 {
        for (callee, id) in self.callees.iter().zip(ids) {
            until(callee, id, |stage| stage == Stage::Ringing).await;
            callee.command(Command::Answer(id.clone()));
        }
        let mut connected = 0;
        for ((caller, callee), id) in self.callers.iter().zip(&self.callees).zip(ids) {
            let settled = |stage| matches!(stage, Stage::Up | Stage::Over(_));
            let both = [until(caller, id, settled).await, until(callee, id, settled).await];
            connected += u32::from(both == [Stage::Up; 2]);
        }
        connected
    }

    async fn talk(&self, ids: &[String], frames: u32) {
        let mut waiting = Vec::new();
        for ((caller, callee), id) in self.callers.iter().zip(&self.callees).zip(ids) {
            for client in [caller, callee] {
                let (done, finished) = oneshot::channel();
                let time = Duration::from_millis(20) * frames;
                client.command(Command::Talk { call: id.clone(), time, done });
                waiting.push(finished);
            }
        }
        for finished in waiting {
            finished.await.expect("a client that talks to the end");
        }
        self.pause(Duration::from_millis(300)).await;
    }
}

/// The stage of a call at a device, once it fits.
async fn until(client: &Client, id: &str, fits: impl Fn(Stage) -> bool) -> Stage {
    let mut calls = client.calls();
    let come = calls.wait_for(|calls| calls.get(id).is_some_and(|seen| fits(seen.stage)));
    let calls = tokio::time::timeout(PATIENCE, come).await.expect("in time").expect("a client that lives");
    calls[id].stage
}

/// Starts the policy server and the call service; media go from device to device.
async fn serve(plan: &Plan, users: &[UserId], net: &Arc<dyn Network>, journal: &Arc<Journal>) -> Services {
    let authority = Authority::new(net.epoch_ns()).expect("a root");
    let entropy = Entropy::new([3; 32]);
    let time = net.clone();
    let clock = Arc::new(move || time.now());
    let (policy, tokens) =
        PolicyServer::from_plan(plan, clock, &mut |bytes| entropy.fill(bytes)).expect("a policy server");
    let (listener, tls) = door(Node::PolicyServer, net, journal, &authority).await;
    let policy_server = listener.local();
    tokio::spawn(policy.serve(listener, tls, journal.clone()));
    let release = Arc::new(Release::of(plan.release));
    let setup = CallServiceSetup {
        net: net.clone(),
        journal: journal.clone(),
        release: release.clone(),
        directory: users.iter().map(|user| (user.clone(), true)).collect(),
        sealed_path: plan.path,
        tamper: None,
        automatic_recording: false,
    };
    let service = CallService::start(setup, Vec::new());
    let (mut listener, tls) = door(Node::CallService, net, journal, &authority).await;
    let call_service = listener.local();
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            number += 1;
            let (service, tls, number) = (service.clone(), tls.clone(), number);
            tokio::spawn(async move {
                let Ok(stream) = accept_tls(&tls, stream).await else { return };
                if let Ok(socket) = accept_websocket("/v1", stream).await {
                    service.serve(number, socket);
                }
            });
        }
    });
    let trust = authority.client().expect("trust in the root");
    Services { policy_server, call_service, trust, tokens: tokens.users, release }
}

async fn door(
    node: Node,
    net: &Arc<dyn Network>,
    journal: &Arc<Journal>,
    authority: &Authority,
) -> (Box<dyn net::Listener>, TlsServer) {
    let link: Arc<dyn AccessLink> = net.add_link(node.word());
    let tls = authority.server(node.word(), journal.keys(Owner::Service)).expect("a certificate");
    (link.listen(HTTPS).await.expect("a free port"), tls)
}
