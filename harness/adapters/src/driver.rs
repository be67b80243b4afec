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

use crate::lines::{self, Next};
use crate::process::{Command, Process};
use crate::protocol::{Ask, ErrorKind, Event, Line, Refusal, Reply, Request};

/// So much longer than its deadline an answer may take on its way.
const GRACE: Duration = Duration::from_millis(500);
/// After `shutdown` a driver exits within this time.
const EXITS_WITHIN: Duration = Duration::from_secs(2);
/// More lines than this in one session are a flood.
const MOST_LINES: u64 = 200_000;

/// What a driver did that no driver may do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It could not be started.
    #[error("the driver cannot be started ({0}); check its command and its path")]
    NotStarted(String),
    /// No answer in time.
    #[error(
        "the driver did not answer `{method}` within {ms} ms; answer every request, with an error of kind `timeout` if need be"
    )]
    Silent {
        /// What was asked.
        method: &'static str,
        /// The deadline.
        ms: u64,
    },
    /// Its process ended, or it closed its output.
    #[error(
        "the driver ended before it was told to: {0}; keep it running until `shutdown` or the end of its input"
    )]
    Ended(String),
    /// A line that is none of the protocol.
    #[error(
        "the driver printed a line that is none of the protocol: {0}; print only protocol lines on standard output, and logs on standard error"
    )]
    Garbage(String),
    /// A line without end.
    #[error("the driver printed a line of more than 1 MiB; keep lines short, media never pass this channel")]
    TooLong,
    /// Too many lines.
    #[error("the driver printed more than 200000 lines in one session; print each frame and claim once")]
    Flood,
    /// An answer to nothing.
    #[error("the driver answered request {0}, which is not open; answer each request once")]
    Unasked(u64),
    /// It refused what it has to do.
    #[error(
        "the driver refused `{method}` ({kind}: {message}); see the page of the driver protocol for what is due"
    )]
    Refused {
        /// What was asked.
        method: &'static str,
        /// The kind of error.
        kind: &'static str,
        /// Its words.
        message: String,
    },
    /// An answer of the wrong shape.
    #[error("the driver's answer to `{method}` cannot be read ({why}); see the page of the driver protocol")]
    Misshapen {
        /// What was asked.
        method: &'static str,
        /// What is wrong.
        why: String,
    },
}

/// What comes from a driver between answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// Something happened at the client.
    Event(Event),
    /// It is over.
    Fault(Fault),
}

type Answer = Result<Value, Refusal>;

struct Shared {
    /// Whether it was told to end.
    closing: AtomicBool,
    open: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    fault: watch::Sender<Option<Fault>>,
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Answer>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
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
    lines: mpsc::UnboundedSender<String>,
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
        });
        let (lines, queue) = mpsc::unbounded_channel();
        tokio::spawn(write(stdin, queue));
        let (happening, happenings) = mpsc::unbounded_channel();
        let driver = Arc::new(Self {
            shared: shared.clone(),
            lines,
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
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let ms = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
        let request = Request { id, deadline_ms: ms, ask: ask.clone() };
        let text = serde_json::to_string(&request).expect("a request is JSON");
        self.raw(id, text, ask.method(), deadline).await
    }

    /// Asks for a method that the protocol does not have.
    ///
    /// # Errors
    /// The driver's fault.
    pub async fn request_unknown(&self, method: &str, deadline: Duration) -> Result<Answer, Fault> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let ms = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
        let text = serde_json::json!({ "id": id, "deadline_ms": ms, "method": method, "params": {} });
        self.raw(id, text.to_string(), "an unknown method", deadline).await
    }

    /// Sends a line as it is, under an id that the caller chose: for probes.
    ///
    /// # Errors
    /// The driver's fault.
    pub async fn raw(
        &self,
        id: u64,
        line: String,
        method: &'static str,
        deadline: Duration,
    ) -> Result<Answer, Fault> {
        let (answer, answered) = oneshot::channel();
        self.shared.open().insert(id, answer);
        // Looked at after the request stands among the open ones, so that a fault in between is not missed.
        let told_to_end = self.shared.closing.load(Ordering::Acquire) && method != "shutdown";
        if let Some(fault) = self.fault().or_else(|| told_to_end.then(gone)) {
            self.shared.open().remove(&id);
            return Err(fault);
        }
        let _ = self.lines.send(line);
        match tokio::time::timeout(deadline + GRACE, answered).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(self.fault().unwrap_or_else(gone)),
            Err(_) => {
                let ms = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
                let fault = Fault::Silent { method, ms };
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

    /// Ends it at once, with all that it started.
    pub async fn kill(&self) {
        self.shared.closing.store(true, Ordering::Release);
        self.process.lock().await.kill();
    }
}

fn gone() -> Fault {
    Fault::Ended("it closed its output".to_owned())
}

async fn write(mut stdin: ChildStdin, mut queue: mpsc::UnboundedReceiver<String>) {
    while let Some(line) = queue.recv().await {
        // A driver that reads no more is found by its silence or its end.
        if stdin.write_all(format!("{line}\n").as_bytes()).await.is_err() || stdin.flush().await.is_err() {
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
        if count > MOST_LINES {
            break Some(Fault::Flood);
        }
        match Line::read(&line) {
            Ok(Line::Event(event)) => drop(happening.send(Happening::Event(event))),
            Ok(Line::Reply(Reply { id, result, error })) => {
                let Some(answer) = shared.open().remove(&id) else { break Some(Fault::Unasked(id)) };
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
