//! A driver as the harness sees it: requests with deadlines, what happens in between, and the one fault that ends it.
//!
//! Invariant: after its first fault nothing of a driver counts, and every request under way ends with that fault.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncWriteExt};
use tokio::process::ChildStdin;
use tokio::sync::{mpsc, oneshot, watch};

use crate::fault::Fault;
use crate::lines::{self, Next};
use crate::process::{Command, Process};
use model::Direction;

use crate::protocol::{Ask, ErrorKind, Event, LedgerLine, Line, Refusal, Reply, Request};

/// So much longer than its deadline an answer may take on its way.
const GRACE: Duration = Duration::from_millis(500);
/// After `shutdown` a driver exits within this time.
const EXITS_WITHIN: Duration = Duration::from_secs(2);
/// More lines than this in one session are a flood.
const MOST_LINES: u64 = 200_000;

/// What comes from a driver between answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// Something happened at the client.
    Event(Event),
    /// It is over.
    Fault(Fault),
}

/// What a driver answers: a result, or why there is none.
pub type Answer = Result<Value, Refusal>;

/// What goes to a driver's input.
enum Chunk {
    Bytes(Vec<u8>),
    End,
}

/// A request whose answer is waited for.
pub struct Pending {
    id: u64,
    method: &'static str,
    answer: oneshot::Receiver<Answer>,
}

impl Pending {
    /// The id under which it has to be sent.
    pub fn id(&self) -> u64 {
        self.id
    }
}

struct Shared {
    /// Whether it was told to end.
    closing: AtomicBool,
    open: Mutex<HashMap<u64, (&'static str, oneshot::Sender<Answer>)>>,
    fault: watch::Sender<Option<Fault>>,
    /// Lines that were read.
    lines: AtomicU64,
    /// Frames that were told as sent while nobody was asked to talk.
    unasked_frames: AtomicU64,
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, (&'static str, oneshot::Sender<Answer>)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A frame leaves only while somebody talks; the answer to `talk` comes after its last one.
    fn look_at(&self, event: &Event) {
        let Event::Frame(LedgerLine { direction: Direction::Sent, .. }) = event else { return };
        if !self.open().values().any(|(method, _)| *method == "talk") {
            self.unasked_frames.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The first fault stands.
    fn fail(&self, fault: Fault) {
        self.fault.send_if_modified(|first| {
            let new = first.is_none();
            first.get_or_insert(fault);
            new
        });
        self.open().clear();
    }
}

/// A driver that runs.
pub struct Driver {
    shared: Arc<Shared>,
    input: mpsc::UnboundedSender<Chunk>,
    ids: AtomicU64,
    process: tokio::sync::Mutex<Process>,
}

impl Driver {
    /// Starts a driver; gives what happens at it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        command: &Command,
        folder: &Path,
    ) -> Result<(Arc<Self>, mpsc::UnboundedReceiver<Happening>), Fault> {
        let started = Process::start(command, folder);
        let (process, stdin, stdout) = started.map_err(|error| Fault::NotStarted(error.to_string()))?;
        let shared = Arc::new(Shared {
            closing: AtomicBool::new(false),
            open: Mutex::default(),
            fault: watch::Sender::new(None),
            lines: AtomicU64::new(0),
            unasked_frames: AtomicU64::new(0),
        });
        let (input, queue) = mpsc::unbounded_channel();
        tokio::spawn(write(stdin, queue));
        let (happening, happenings) = mpsc::unbounded_channel();
        let driver = Arc::new(Self {
            shared: shared.clone(),
            input,
            ids: AtomicU64::new(1),
            process: tokio::sync::Mutex::new(process),
        });
        tokio::spawn(read(stdout, shared, happening));
        Ok((driver, happenings))
    }

    /// Asks, and waits for the answer until the deadline.
    ///
    /// # Errors
    /// The driver's fault; what it refuses is [`Fault::Refused`].
    pub async fn ask<T: DeserializeOwned>(&self, ask: Ask, deadline: Duration) -> Result<T, Fault> {
        let method = ask.method();
        let answer = self.request(&ask, deadline).await?;
        let value = answer.map_err(|refusal| Fault::Refused {
            method,
            kind: refusal.kind.word(),
            message: refusal.message,
        })?;
        serde_json::from_value(value).map_err(|why| Fault::Misshapen { method, why: why.to_string() })
    }

    /// Asks, and gives the answer as it is.
    ///
    /// # Errors
    /// The driver's fault.
    pub async fn request(&self, ask: &Ask, deadline: Duration) -> Result<Answer, Fault> {
        let pending = self.reserve(ask.method())?;
        self.write(line(pending.id, ask, deadline).into_bytes());
        self.answered(pending, deadline).await
    }

    /// Asks for a method that the protocol does not have.
    ///
    /// # Errors
    /// The driver's fault.
    pub async fn request_unknown(&self, method: &str, deadline: Duration) -> Result<Answer, Fault> {
        let pending = self.reserve("an unknown method")?;
        let (id, ms) = (pending.id, milliseconds(deadline));
        let text = serde_json::json!({ "id": id, "deadline_ms": ms, "method": method, "params": {} });
        self.write(format!("{text}\n").into_bytes());
        self.answered(pending, deadline).await
    }

    /// Takes an id and waits for its answer from here on; the caller sends the request, as it likes.
    ///
    /// # Errors
    /// The driver's fault.
    pub fn reserve(&self, method: &'static str) -> Result<Pending, Fault> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.shared.open().insert(id, (method, sender));
        // Looked at after the request stands among the open ones, so that a fault in between is not missed.
        let told_to_end = self.shared.closing.load(Ordering::Acquire) && method != "shutdown";
        if let Some(fault) = self.fault().or_else(|| told_to_end.then(gone)) {
            self.shared.open().remove(&id);
            return Err(fault);
        }
        Ok(Pending { id, method, answer })
    }

    /// Sends bytes as they are, in one write.
    pub fn write(&self, bytes: Vec<u8>) {
        // A driver that reads no more is found by its silence or its end.
        let _ = self.input.send(Chunk::Bytes(bytes));
    }

    /// Waits for an answer until its deadline.
    ///
    /// # Errors
    /// The driver's fault; silence is one.
    pub async fn answered(&self, pending: Pending, deadline: Duration) -> Result<Answer, Fault> {
        match tokio::time::timeout(deadline + GRACE, pending.answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(self.fault().unwrap_or_else(gone)),
            Err(_) => {
                let fault = Fault::Silent { method: pending.method, ms: milliseconds(deadline) };
                self.shared.fail(fault.clone());
                Err(fault)
            }
        }
    }

    /// What it did wrong first, if anything.
    pub fn fault(&self) -> Option<Fault> {
        self.shared.fault.borrow().clone()
    }

    /// Waits for its first fault.
    pub async fn failed(&self) -> Fault {
        let mut fault = self.shared.fault.subscribe();
        match fault.wait_for(Option::is_some).await.map(|fault| fault.clone()) {
            Ok(Some(fault)) => fault,
            _ => std::future::pending().await,
        }
    }

    /// The last line that it said on standard error.
    pub async fn last_words(&self) -> Option<String> {
        self.process.lock().await.last_words()
    }

    /// How its process ended, where it has or does so presently.
    pub async fn ended(&self) -> String {
        let mut process = self.process.lock().await;
        let ended = tokio::time::timeout(EXITS_WITHIN, process.ended()).await;
        ended.unwrap_or_else(|_| "it closed its output and runs on".to_owned())
    }

    /// Ends session and process in good order.
    ///
    /// # Errors
    /// The fault that a driver shows only here: it does not answer, or does not exit with 0.
    pub async fn shut_down(&self, deadline: Duration) -> Result<(), Fault> {
        self.shared.closing.store(true, Ordering::Release);
        let answer = self.request(&Ask::Shutdown {}, deadline).await?;
        answer.map_err(|refusal| Fault::Refused {
            method: "shutdown",
            kind: refusal.kind.word(),
            message: refusal.message,
        })?;
        let mut process = self.process.lock().await;
        match tokio::time::timeout(EXITS_WITHIN, process.succeeded()).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Fault::Ended("it did not exit with 0 after `shutdown`".to_owned())),
            Err(_) => Err(Fault::Ended("it did not exit within 2 s of `shutdown`".to_owned())),
        }
    }

    /// Ends its input, which means the same as `shutdown`, and waits for its process; says whether that exited with 0.
    ///
    /// # Errors
    /// When it runs on.
    pub async fn end_input(&self) -> Result<bool, Fault> {
        self.shared.closing.store(true, Ordering::Release);
        let _ = self.input.send(Chunk::End);
        let mut process = self.process.lock().await;
        let exited = tokio::time::timeout(EXITS_WITHIN, process.succeeded()).await;
        exited.map_err(|_| Fault::Ended("it did not exit within 2 s of the end of its input".to_owned()))
    }

    /// Names of the processes that it started and that still run, once they had two seconds to end.
    pub async fn left_behind(&self) -> Vec<String> {
        let process = self.process.lock().await;
        let until = tokio::time::Instant::now() + EXITS_WITHIN;
        loop {
            let left = process.group_members();
            if left.is_empty() || tokio::time::Instant::now() >= until {
                return left;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How many lines it has printed.
    pub fn lines_read(&self) -> u64 {
        self.shared.lines.load(Ordering::Relaxed)
    }

    /// How many frames it has told as sent while no `talk` was open.
    pub fn unasked_frames(&self) -> u64 {
        self.shared.unasked_frames.load(Ordering::Relaxed)
    }

    /// Ends it at once, with all that it started.
    pub async fn kill(&self) {
        self.shared.closing.store(true, Ordering::Release);
        self.process.lock().await.kill();
    }
}

fn gone() -> Fault {
    Fault::Ended("it closed its output".to_owned())
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A request as it stands on its line.
pub fn line(id: u64, ask: &Ask, deadline: Duration) -> String {
    let request = Request { id, deadline_ms: milliseconds(deadline), ask: ask.clone() };
    let text = serde_json::to_string(&request).expect("a request is JSON");
    format!("{text}\n")
}

async fn write(mut stdin: ChildStdin, mut queue: mpsc::UnboundedReceiver<Chunk>) {
    while let Some(Chunk::Bytes(bytes)) = queue.recv().await {
        // A driver that reads no more is found by its silence or its end.
        if stdin.write_all(&bytes).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

async fn read(
    mut stdout: impl AsyncBufRead + Unpin,
    shared: Arc<Shared>,
    happening: mpsc::UnboundedSender<Happening>,
) {
    let mut failed = shared.fault.subscribe();
    let mut count = 0;
    let fault = loop {
        let next = tokio::select! {
            biased;
            next = lines::next(&mut stdout) => next,
            fault = failed.wait_for(Option::is_some) => {
                break fault.ok().and_then(|fault| fault.clone());
            }
        };
        let line = match next {
            Ok(Next::Line(line)) => line,
            Ok(Next::TooLong) => break Some(Fault::TooLong),
            // Whoever waits for the answer to `shutdown` finds that there is none.
            Ok(Next::End) | Err(_) if shared.closing.load(Ordering::Acquire) => {
                shared.open().clear();
                break None;
            }
            Ok(Next::End) | Err(_) => break Some(gone()),
        };
        count += 1;
        shared.lines.store(count, Ordering::Relaxed);
        if count > MOST_LINES {
            break Some(Fault::Flood);
        }
        match Line::read(&line) {
            Ok(Line::Event(event)) => {
                shared.look_at(&event);
                drop(happening.send(Happening::Event(event)));
            }
            Ok(Line::Reply(Reply { id, result, error })) => {
                let Some((_, answer)) = shared.open().remove(&id) else { break Some(Fault::Unasked(id)) };
                let _ = answer.send(error.map_or_else(|| Ok(result.unwrap_or_default()), Err));
            }
            Err(why) => break Some(Fault::Garbage(why)),
        }
    };
    if let Some(fault) = fault {
        shared.fail(fault);
    }
    let first = shared.fault.borrow().clone();
    if let Some(fault) = first {
        let _ = happening.send(Happening::Fault(fault));
    }
}

/// The kind of error of an answer; `none` where the driver said yes.
pub fn kind_of(answer: &Answer) -> &'static str {
    answer.as_ref().err().map_or("none", |refusal: &Refusal| ErrorKind::word(refusal.kind))
}

#[cfg(test)]
mod tests;
