//! One driver on the bench: started when it is needed, introduced, with a session where a probe wants one.
//!
//! Invariant: after a fault nothing is asked of the same process again.

use std::sync::Arc;
use std::time::Duration;

use adapters::driver::Answer;
use adapters::protocol::{Ask, ErrorKind, Event, Introduction, Session, VERSION, Versions};
use adapters::{Driver, Fault, Happening};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout_at};

use crate::Outsider;
use crate::world::{OPENS_WITHIN, session_folder};

/// Whose device the driver is to be.
pub(super) const PARTY: &str = "alice@contoso.example";
/// The other side.
pub(super) const OTHER: &str = "bob@contoso.example";
/// A policy that lets users turn the option on.
pub(super) const ALLOWED: &str = "DisabledUserOverride";
/// A method that no version of the protocol has.
pub(super) const NO_METHOD: &str = "no-such-method";
/// Until a client has started and answers.
const STARTS_WITHIN: Duration = Duration::from_secs(20);

/// Why a probe did not pass.
pub(super) enum Trouble {
    /// What came is not what is due.
    Wrong(String),
    /// There was nothing to try, and why.
    NotTried(String),
    /// The driver did what no driver may.
    Fault(Fault),
    /// The harness stumbled.
    Harness(String),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// A running driver.
struct Seat {
    driver: Arc<Driver>,
    happenings: UnboundedReceiver<Happening>,
    folder: TempDir,
    greeted: bool,
    open: bool,
}

/// The device that a probe wants.
#[derive(Clone, Copy)]
pub(super) struct Wish {
    pub(super) e2ee: bool,
    pub(super) eligible: bool,
}

impl Default for Wish {
    fn default() -> Self {
        Self { e2ee: true, eligible: true }
    }
}

/// Where one driver is probed.
pub(super) struct Bench {
    outsider: Outsider,
    pub(super) patience: Duration,
    seat: Option<Seat>,
    pub(super) introduction: Option<Introduction>,
    /// Lines of every process so far.
    pub(super) lines: u64,
    calls: u128,
}

impl Bench {
    pub(super) fn new(outsider: Outsider, patience: Duration) -> Self {
        Self { outsider, patience, seat: None, introduction: None, lines: 0, calls: 0 }
    }

    /// Whether the client declares `word`.
    pub(super) fn has(&self, word: &str) -> bool {
        self.introduction.as_ref().is_some_and(|hello| hello.capabilities.get(word) == Some(&true))
    }

    /// Everything that the client declares.
    pub(super) fn capabilities(&self) -> Vec<String> {
        let hello = self.introduction.iter().flat_map(|hello| &hello.capabilities);
        hello.filter(|(_, can)| **can).map(|(word, _)| word.clone()).collect()
    }

    /// The first of `words` that the client declares.
    pub(super) fn first_of(&self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().copied().find(|word| self.has(word))
    }

    /// A profile that the client has.
    pub(super) fn profile(&self) -> &'static str {
        self.first_of(&["frames", "dtls", "own"]).unwrap_or("frames")
    }

    /// A kind of media that the client carries.
    pub(super) fn media(&self) -> &'static str {
        self.first_of(&["audio", "video", "screen"]).unwrap_or("audio")
    }

    /// A call id that no call on this bench has had.
    pub(super) fn next_call(&mut self) -> String {
        self.calls += 1;
        format!("{:032x}", (0xfeed_u128 << 112) + self.calls)
    }

    /// A process that nothing was said to.
    pub(super) async fn fresh(&mut self) -> Result<(), Trouble> {
        self.dismiss().await;
        let folder = session_folder()
            .map_err(|why| Trouble::Harness(format!("no folder could be made ({why}); make room")))?;
        let (driver, happenings) = Driver::start(&self.outsider.command, folder.path())?;
        self.seat = Some(Seat { driver, happenings, folder, greeted: false, open: false });
        Ok(())
    }

    /// Ends the process, whatever it does.
    pub(super) async fn dismiss(&mut self) {
        if let Some(seat) = self.seat.take() {
            seat.driver.kill().await;
            self.lines += seat.driver.lines_read();
        }
    }

    /// A fault in its own words and the last ones of the process.
    pub(super) async fn told(&mut self, fault: &Fault) -> String {
        let mut text = fault.to_string();
        if let Some(seat) = &self.seat {
            if matches!(fault, Fault::Ended(_)) {
                text.push_str(&format!(" ({})", seat.driver.ended().await));
            }
            if let Some(words) = seat.driver.last_words().await {
                text.push_str(&format!("; its last words: {words}"));
            }
        }
        text
    }

    fn seat(&self) -> Result<&Seat, Trouble> {
        self.seat.as_ref().ok_or_else(|| Trouble::Harness("no driver runs".to_owned()))
    }

    /// The driver that runs.
    pub(super) fn driver(&self) -> Result<Arc<Driver>, Trouble> {
        Ok(self.seat()?.driver.clone())
    }

    /// The folder of the session.
    pub(super) fn folder(&self) -> Result<std::path::PathBuf, Trouble> {
        Ok(self.seat()?.folder.path().to_owned())
    }

    /// Says hello to the process that runs; gives the answer as it is.
    pub(super) async fn hello(&mut self, min: u32, max: u32) -> Result<Answer, Trouble> {
        let harness = format!("overheard {}", env!("CARGO_PKG_VERSION"));
        let ask = Ask::Hello { protocol: Versions { min, max }, harness };
        let answer = self.driver()?.request(&ask, STARTS_WITHIN).await?;
        if let (Ok(_), Some(seat)) = (&answer, &mut self.seat) {
            seat.greeted = true;
        }
        Ok(answer)
    }

    /// A process that has been greeted and has no fault: the one that runs, else a new one.
    pub(super) async fn greeted(&mut self) -> Result<(), Trouble> {
        if self.seat.as_ref().is_some_and(|seat| seat.greeted && seat.driver.fault().is_none()) {
            return Ok(());
        }
        self.fresh().await?;
        match self.hello(VERSION, VERSION).await? {
            Ok(_) => Ok(()),
            Err(refusal) => Err(refused("hello", refusal.kind, &refusal.message)),
        }
    }

    /// A greeted process without a session.
    pub(super) async fn closed(&mut self) -> Result<(), Trouble> {
        self.greeted().await?;
        if self.seat()?.open {
            self.done(Ask::Close {}).await?;
            self.note_open(false);
        }
        Ok(())
    }

    /// A new session.
    pub(super) async fn session(&mut self, wish: Wish) -> Result<(), Trouble> {
        self.closed().await?;
        // What earlier sessions told is no witness of this one; a fault among it stands at the driver as well.
        while self.seat.as_mut().is_some_and(|seat| seat.happenings.try_recv().is_ok()) {}
        let ask = self.opening(wish, self.profile())?;
        self.done(ask).await?;
        self.note_open(true);
        Ok(())
    }

    pub(super) fn note_open(&mut self, open: bool) {
        if let Some(seat) = &mut self.seat {
            seat.open = open;
        }
    }

    /// The request that opens a session.
    pub(super) fn opening(&self, wish: Wish, profile: &str) -> Result<Ask, Trouble> {
        Ok(Ask::Open(Box::new(Session {
            folder: self.folder()?.display().to_string(),
            party: PARTY.to_owned(),
            device: String::new(),
            platform: "windows".to_owned(),
            version: "current".to_owned(),
            e2ee: wish.e2ee,
            eligible: wish.eligible,
            profile: profile.to_owned(),
            withheld: vec!["recording".to_owned()],
            settings: Vec::new(),
            set_up_ms: 600_000,
            address: adapters::access::CLIENT_ADDRESS.to_string(),
            relay: None,
        })))
    }

    /// Asks; gives the answer as it is.
    pub(super) async fn ask(&self, ask: Ask) -> Result<Answer, Trouble> {
        // A client may take as long to open a session as in a run.
        let patience = if let Ask::Open(_) = ask { self.patience.max(OPENS_WITHIN) } else { self.patience };
        Ok(self.driver()?.request(&ask, patience).await?)
    }

    /// Asks for what the driver has to do.
    pub(super) async fn done(&self, ask: Ask) -> Result<Value, Trouble> {
        let method = ask.method();
        let answer = self.ask(ask).await?;
        answer.map_err(|refusal| refused(method, refusal.kind, &refusal.message))
    }

    /// Asks for nothing that there is; any answer will do.
    pub(super) async fn goes_on(&self) -> Result<(), Trouble> {
        self.driver()?.request_unknown(NO_METHOD, self.patience).await?.ok();
        Ok(())
    }

    /// Asks for what the driver has to refuse, by this name.
    pub(super) async fn refuses(&self, ask: Ask, due: ErrorKind) -> Result<String, Trouble> {
        let answer = self.ask(ask).await?;
        due_refusal(&answer, due)
    }

    /// Waits for an event.
    pub(super) async fn event<T>(
        &mut self,
        what: &str,
        wanted: impl Fn(&Event) -> Option<T>,
    ) -> Result<T, Trouble> {
        let (patience, Some(seat)) = (self.patience, &mut self.seat) else {
            return Err(Trouble::Harness("no driver runs".to_owned()));
        };
        let until = Instant::now() + patience;
        loop {
            match timeout_at(until, seat.happenings.recv()).await {
                Ok(Some(Happening::Event(event))) => {
                    if let Some(found) = wanted(&event) {
                        return Ok(found);
                    }
                }
                Ok(Some(Happening::Fault(fault))) => return Err(fault.into()),
                Ok(None) => return Err(Fault::Ended("it closed its output".to_owned()).into()),
                Err(_) => {
                    let ms = patience.as_millis();
                    return Err(Trouble::Wrong(format!("{what} did not come within {ms} ms")));
                }
            }
        }
    }

    /// Waits for the signalling message `word`; where `call` is given, of that call.
    pub(super) async fn signalled(&mut self, word: &str, call: Option<&str>) -> Result<Value, Trouble> {
        self.event(&format!("the signalling message `{word}`"), |event| match event {
            Event::Signal { message }
                if message["type"] == word && call.is_none_or(|call| message["call"] == call) =>
            {
                Some(message.clone())
            }
            _ => None,
        })
        .await
    }
}

fn refused(method: &str, kind: ErrorKind, message: &str) -> Trouble {
    Trouble::Wrong(format!("`{method}` was refused as `{}` ({message})", kind.word()))
}

/// Whether an answer is the refusal that is due.
pub(super) fn due_refusal(answer: &Answer, due: ErrorKind) -> Result<String, Trouble> {
    match answer {
        Err(refusal) if refusal.kind == due => Ok(format!("refused as `{}`", due.word())),
        Err(refusal) => Err(Trouble::Wrong(format!(
            "refused as `{}` ({}), where `{}` is due",
            refusal.kind.word(),
            refusal.message,
            due.word()
        ))),
        Ok(_) => Err(Trouble::Wrong(format!("a result, where the error `{}` is due", due.word()))),
    }
}
