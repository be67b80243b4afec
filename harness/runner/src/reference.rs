//! The reference client behind the driver protocol: the same client as inside a world, with its signalling in the
//! channel and its media on real sockets.
//!
//! Invariant: it knows nothing but what the protocol tells it, so that a vendor's driver can do all that it does.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adapters::protocol::{
    Ask, ErrorKind, Event, Introduction, Invocation, Keys, LedgerLine, METHODS, Placed, Refusal, Reply,
    Request, Session, VERSION,
};
use model::flaw::Flaw;
use model::plan::{PolicyValue, Profile};
use model::release::{Feature, Release, ReleaseName, Sourced, TenantKind};
use model::{DeviceId, UserId};
use net::network::Boxed;
use net::{LoopbackOptions, loopback};
use nodes::client::{CAPABILITIES, Client, ClientSetup, Command, Stage};
use nodes::engine::RelayUse;
use nodes::entropy::Entropy;
use nodes::journal::{Journal, Noted};
use nodes::policy_client::PolicySource;
use nodes::signalling::Message;
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};

/// The file of exported keys in the session's folder.
const KEY_FILE: &str = "parties.keys";

type Answer = Result<Value, Refusal>;

/// In what the client differs from the one inside a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// The one profile that it speaks; `frames` and `dtls` without.
    pub profile: Option<Profile>,
    /// Its deliberate fault.
    pub flaw: Option<Flaw>,
    /// It keeps the keys of its hops to itself, as a client does that cannot tell them.
    pub keeps_hop_keys: bool,
}

impl Manner {
    /// What it declares that it can do.
    fn capabilities(self) -> impl Iterator<Item = &'static str> {
        let profile = move |word: &&str| match self.profile {
            Some(profile) => *word == profile.word(),
            None => *word != Profile::Own.word(),
        };
        let has = move |word: &&str| match *word {
            "ledger" => false,
            "keys-export" => !self.keeps_hop_keys,
            word => word.parse::<Profile>().is_err(),
        };
        let profiles = Profile::ALL.iter().map(|profile| profile.word()).filter(profile);
        profiles.chain(CAPABILITIES.iter().copied().filter(has))
    }

    /// Whether a line of the key file is one that it tells.
    fn tells(self, line: &str) -> bool {
        !self.keeps_hop_keys || line.starts_with("SFRAME ") || line.starts_with("AGREE ")
    }
}

/// Answers requests from `input` until `shutdown` or its end.
///
/// # Errors
/// When input or output break.
pub async fn serve(
    mut input: impl AsyncBufRead + Unpin,
    mut output: impl AsyncWrite + Unpin + Send + 'static,
    seed: [u8; 32],
    manner: Manner,
) -> io::Result<()> {
    let (lines, mut queue) = mpsc::unbounded_channel::<String>();
    let writing = tokio::spawn(async move {
        while let Some(line) = queue.recv().await {
            output.write_all(format!("{line}\n").as_bytes()).await?;
            output.flush().await?;
        }
        io::Result::Ok(())
    });
    let entropy = Entropy::new(seed);
    let mut driver = Driver { lines, entropy, manner, sessions: 0, greeted: false, open: None };
    let mut line = Vec::new();
    loop {
        line.clear();
        // What is no UTF-8 is no JSON either, and is nobody's end.
        if input.read_until(b'\n', &mut line).await? == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        if driver.line(&line).await {
            break;
        }
    }
    drop(driver);
    // What runs on for a closed session still holds a handle to the output; the rest has been written.
    let _ = tokio::time::timeout(Duration::from_millis(500), writing).await;
    Ok(())
}

/// What the driver holds.
struct Driver {
    lines: mpsc::UnboundedSender<String>,
    entropy: Entropy,
    manner: Manner,
    /// How many were opened: each has randomness of its own.
    sessions: u64,
    greeted: bool,
    open: Option<Open>,
}

/// An open session.
struct Open {
    client: Client,
    journal: Arc<Journal>,
    inbox: mpsc::UnboundedSender<Message>,
    policy: Arc<Told>,
    folder: PathBuf,
    manner: Manner,
}

/// The policy that the last request told.
#[derive(Default)]
struct Told(Mutex<Option<PolicyValue>>);

impl Told {
    fn set(&self, policy: Option<PolicyValue>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = policy;
    }
}

impl PolicySource for Told {
    fn effective<'a>(&'a self, _: &'a UserId) -> Boxed<'a, Option<PolicyValue>> {
        Box::pin(async { *self.0.lock().unwrap_or_else(PoisonError::into_inner) })
    }
}

fn refusal(kind: ErrorKind, message: &str) -> Refusal {
    Refusal { kind, message: message.to_owned() }
}

fn reply(lines: &mpsc::UnboundedSender<String>, id: u64, answer: Answer) {
    let (result, error) = match answer {
        Ok(result) => (Some(result), None),
        Err(error) => (None, Some(error)),
    };
    let text = serde_json::to_string(&Reply { id, result, error }).expect("a reply is JSON");
    let _ = lines.send(text);
}

impl Driver {
    /// Answers one line, or sees to it that it is answered; says whether it was the last.
    async fn line(&mut self, line: &[u8]) -> bool {
        let value: Value = serde_json::from_slice(line).unwrap_or_default();
        // Without an id there is nobody to answer.
        let Some(id) = value["id"].as_u64() else { return false };
        if !value["method"].as_str().is_some_and(|method| METHODS.contains(&method)) {
            let text = "this version of the protocol has no such method";
            reply(&self.lines, id, Err(refusal(ErrorKind::UnknownMethod, text)));
            return false;
        }
        let ask = match serde_json::from_value::<Request>(value) {
            Ok(request) => request.ask,
            Err(why) => {
                reply(&self.lines, id, Err(refusal(ErrorKind::InvalidParams, &why.to_string())));
                return false;
            }
        };
        let last = matches!(ask, Ask::Shutdown {});
        match self.ask(ask).await {
            Ok(Due::Now(value)) => reply(&self.lines, id, Ok(value)),
            Ok(Due::Later(answer)) => {
                let lines = self.lines.clone();
                tokio::spawn(async move {
                    let gone = refusal(ErrorKind::WrongState, "the call is gone");
                    reply(&lines, id, answer.await.map_err(|_| gone));
                });
            }
            Err(refusal) => reply(&self.lines, id, Err(refusal)),
        }
        last
    }

    async fn ask(&mut self, ask: Ask) -> Result<Due, Refusal> {
        if !self.greeted && !matches!(ask, Ask::Hello { .. } | Ask::Shutdown {}) {
            return Err(refusal(ErrorKind::WrongState, "say `hello` first"));
        }
        match ask {
            Ask::Hello { protocol, .. } => {
                if !(protocol.min..=protocol.max).contains(&VERSION) {
                    let text = format!("this driver speaks version {VERSION} alone");
                    return Err(refusal(ErrorKind::Unsupported, &text));
                }
                self.greeted = true;
                let capabilities = self.manner.capabilities();
                Ok(Due::now(Introduction {
                    protocol: VERSION,
                    implementation: format!("overheard reference client {}", env!("CARGO_PKG_VERSION")),
                    capabilities: capabilities.map(|word| (word.to_owned(), true)).collect(),
                }))
            }
            Ask::Open(session) => self.open(*session),
            Ask::Cancel { .. } => Ok(Due::nothing()),
            Ask::Close {} | Ask::Shutdown {} => {
                self.close().await;
                Ok(Due::nothing())
            }
            other => {
                let text = "open a session first";
                let open = self.open.as_ref().ok_or_else(|| refusal(ErrorKind::WrongState, text))?;
                open.ask(other)
            }
        }
    }

    fn open(&mut self, session: Session) -> Result<Due, Refusal> {
        if self.open.is_some() {
            return Err(refusal(ErrorKind::WrongState, "the session is open already"));
        }
        let setup = self.setup(&session)?;
        self.sessions += 1;
        let (outbox, mut sent) = mpsc::unbounded_channel::<Message>();
        let (inbox, arrived) = mpsc::unbounded_channel();
        let lines = self.lines.clone();
        tokio::spawn(async move {
            while let Some(message) = sent.recv().await {
                let message = serde_json::to_value(message).expect("a message is JSON");
                let _ =
                    lines.send(json!({ "event": "signal", "params": { "message": message } }).to_string());
            }
        });
        let (journal, policy) = (setup.0.journal.clone(), setup.1);
        let lines = self.lines.clone();
        journal.read_along(move |noted| {
            let text = serde_json::to_string(&event(noted)).expect("an event is JSON");
            let _ = lines.send(text);
        });
        let client = Client::start_on_queues(setup.0, outbox, arrived);
        let folder = PathBuf::from(session.folder);
        self.open = Some(Open { client, journal, inbox, policy, folder, manner: self.manner });
        Ok(Due::nothing())
    }

    /// The client of the session, and where it learns its policy.
    fn setup(&self, session: &Session) -> Result<(ClientSetup, Arc<Told>), Refusal> {
        let wrong = |what: &str| refusal(ErrorKind::InvalidParams, &format!("`{what}` cannot be understood"));
        if !self.manner.capabilities().any(|word| word == session.profile) {
            return Err(refusal(ErrorKind::Unsupported, "this client has no such profile"));
        }
        let user: UserId = session.party.parse().map_err(|_| wrong("party"))?;
        let device = (!session.device.is_empty()).then(|| session.device.clone());
        let address: Ipv4Addr = session.address.parse().map_err(|_| wrong("address"))?;
        let net = loopback(LoopbackOptions { address: Some(address), ..LoopbackOptions::default() });
        let mut release = Release::of(ReleaseName::Ga202203);
        release.unavailable =
            session.withheld.iter().filter_map(|word| word.parse::<Feature>().ok()).map(sourced).collect();
        let policy = Arc::new(Told::default());
        let relay = session.relay.clone();
        let setup = ClientSetup {
            link: net.add_link("client"),
            journal: Journal::new(net.clone()),
            net,
            entropy: Arc::new(self.entropy.child(&format!("session {} of {}", self.sessions, session.party))),
            device: DeviceId { user, device },
            platform: session.platform.parse().map_err(|_| wrong("platform"))?,
            version: session.version.parse().map_err(|_| wrong("version"))?,
            preview_ring: true,
            // What the harness says of the device stands here as the one thing that speaks against sealing.
            compliance_recording: !session.eligible,
            tenant_kind: TenantKind::Commercial,
            release: Arc::new(release),
            e2ee: session.e2ee,
            settings: session.settings.iter().filter_map(|word| word.parse().ok()).collect(),
            profile: session.profile.parse().map_err(|_| wrong("profile"))?,
            flaw: self.manner.flaw,
            relay: relay.map(|r| RelayUse { url: r.url, username: r.username, password: r.password }),
            policy: policy.clone(),
            set_up_timeout: Duration::from_millis(session.set_up_ms),
        };
        Ok((setup, policy))
    }

    async fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let calls: Vec<String> = open.client.calls().borrow().keys().cloned().collect();
        for call in calls {
            open.client.command(Command::HangUp(call.clone()));
            let mut seen = open.client.calls();
            let over =
                seen.wait_for(|seen| matches!(seen.get(&call).map(|seen| seen.stage), Some(Stage::Over(_))));
            let _ = tokio::time::timeout(Duration::from_secs(1), over).await;
        }
    }
}

/// A feature that the harness names is one of the session's, whatever release it is from.
fn sourced(name: Feature) -> Sourced<Feature> {
    Sourced { name, source: "the session".to_owned() }
}

/// When an answer is due.
enum Due {
    Now(Value),
    Later(Boxed<'static, Result<Value, ()>>),
}

impl Due {
    fn now(value: impl serde::Serialize) -> Self {
        Self::Now(serde_json::to_value(value).expect("a result is JSON"))
    }

    fn nothing() -> Self {
        Self::Now(json!({}))
    }

    fn later<T: Send + 'static>(
        answer: oneshot::Receiver<T>,
        told: impl FnOnce(T) -> Value + Send + 'static,
    ) -> Self {
        Self::Later(Box::pin(async move { answer.await.map(told).map_err(drop) }))
    }
}

impl Open {
    fn ask(&self, ask: Ask) -> Result<Due, Refusal> {
        let wrong = |what: &str| refusal(ErrorKind::InvalidParams, &format!("`{what}` cannot be understood"));
        let known = |call: String| {
            let there = self.client.calls().borrow().contains_key(&call);
            if there { Ok(call) } else { Err(refusal(ErrorKind::WrongState, "there is no such call")) }
        };
        match ask {
            Ask::Place { to, media, kind, policy } => {
                self.policy.set(policy.parse().ok());
                let (placed, id) = oneshot::channel();
                let kind = kind.parse().map_err(|_| wrong("kind"))?;
                self.client.command(Command::Call { to, media, kind, placed });
                return Ok(Due::later(id, |call| json!(Placed { call })));
            }
            Ask::Answer { call, policy } => {
                let call = known(call)?;
                self.policy.set(policy.parse().ok());
                self.client.command(Command::Answer(call));
            }
            Ask::Decline { call } => self.client.command(Command::Decline(known(call)?)),
            Ask::HangUp { call } => self.client.command(Command::HangUp(known(call)?)),
            Ask::Talk { call, ms } => {
                let (done, finished) = oneshot::channel();
                let (call, time) = (known(call)?, Duration::from_millis(ms));
                self.client.command(Command::Talk { call, time, done });
                return Ok(Due::later(finished, |()| json!({})));
            }
            Ask::Invoke { call, feature, with } => {
                let (answer, answered) = oneshot::channel();
                let with =
                    if with.is_empty() { None } else { Some(with.parse().map_err(|_| wrong("with"))?) };
                let feature = feature.parse().map_err(|_| wrong("feature"))?;
                self.client.command(Command::Invoke { call: known(call)?, feature, with, answer });
                return Ok(Due::later(answered, |told| {
                    json!(Invocation { shown: told.shown, result: told.result, reason: told.reason })
                }));
            }
            Ask::Toggle { e2ee } => self.client.command(Command::Toggle(e2ee)),
            Ask::Chat { to, text } => {
                let to = to.parse().map_err(|_| wrong("to"))?;
                self.client.command(Command::Chat { to, text });
            }
            Ask::Signal { message, policy } => {
                if let Some(policy) = policy {
                    self.policy.set(policy.parse().ok());
                }
                // What is no message of ours is ignored, as an unknown field is.
                if let Ok(message) = serde_json::from_value(message) {
                    let _ = self.inbox.send(message);
                }
            }
            Ask::Keys {} => {
                let failed = |why: io::Error| refusal(ErrorKind::Internal, &why.to_string());
                self.write_keys().map_err(failed)?;
                return Ok(Due::now(Keys { file: KEY_FILE.to_owned() }));
            }
            Ask::Hello { .. } | Ask::Open(_) | Ask::Cancel { .. } | Ask::Close {} | Ask::Shutdown {} => {}
        }
        Ok(Due::nothing())
    }

    fn write_keys(&self) -> io::Result<()> {
        let path = self.folder.join(KEY_FILE);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        let mut lines = self.journal.notes().parties.clone();
        lines.retain(|line| self.manner.tells(line));
        lines.iter().try_for_each(|line| writeln!(file, "{line}"))
    }
}

fn event(noted: Noted<'_>) -> Event {
    match noted {
        Noted::Claim(claim) => Event::Claim { call: claim.call.clone(), claim: claim.claim.clone() },
        Noted::Remark(line) => Event::Log { text: line.text.clone() },
        Noted::Frame(entry) => Event::Frame(LedgerLine {
            call: entry.call.clone(),
            direction: entry.direction,
            kind: entry.kind,
            index: entry.index,
            bytes: entry.bytes,
            sha256: entry.sha256.clone(),
        }),
    }
}
