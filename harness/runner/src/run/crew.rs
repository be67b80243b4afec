//! Runs worlds on threads of their own, as many at once as are asked for, and ends those that must not go on.
//!
//! Invariant: one thread alone writes the record, and a world that does not end is never waited for for long: its
//! thread is left to itself and nothing that it does later counts.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use model::record::{Line, WorldRecord};
use tokio::sync::oneshot;

use super::Event;
use crate::crash;
use crate::record::RecordFile;
use crate::stop::{Stop, Stopped};
use crate::world::{Job, run_until, stopped};

/// A world that was told to end has so much time for it.
const GRACE: Duration = Duration::from_secs(1);
/// How often signals and times are looked at.
const TICK: Duration = Duration::from_millis(25);

/// What a run looks at while it goes on.
pub struct Watch<'a> {
    /// Once this is set no further world begins and those that run are ended; the record stays without its end.
    pub interrupted: &'a AtomicBool,
    /// A world that takes longer, in real time, is ended and an error.
    pub timeout: Duration,
    /// The time since any fixed moment.
    pub now: &'a dyn Fn() -> Duration,
}

/// A world has ended, or was interrupted.
type Report = (usize, Option<Box<WorldRecord>>);

/// A world that runs.
struct Running {
    since: Duration,
    /// Taken when it is told to end.
    stop: Option<oneshot::Sender<Stop>>,
    told: Option<Duration>,
    /// None when it could not be made, or is left to itself.
    thread: Option<JoinHandle<()>>,
}

/// The worlds of a run that are under way, and their record.
pub(super) struct Crew<'a> {
    watch: &'a Watch<'a>,
    on_event: &'a dyn Fn(Event<'_>),
    jobs: Vec<Arc<Job>>,
    record: RecordFile,
    running: BTreeMap<usize, Running>,
    reports: (Sender<Report>, Receiver<Report>),
    finished: usize,
    failed: Option<io::Error>,
}

impl<'a> Crew<'a> {
    pub(super) fn new(
        jobs: Vec<Job>,
        record: RecordFile,
        watch: &'a Watch<'a>,
        on_event: &'a dyn Fn(Event<'_>),
    ) -> Self {
        let jobs = jobs.into_iter().map(Arc::new).collect();
        let (running, reports) = (BTreeMap::new(), channel());
        Self { watch, on_event, jobs, record, running, reports, finished: 0, failed: None }
    }

    /// Runs the worlds, at most `threads` at once, and says how many have ended.
    pub(super) fn run(mut self, threads: usize) -> io::Result<(usize, RecordFile)> {
        let mut next = 0;
        loop {
            while !self.halted() && self.running.len() < threads && next < self.jobs.len() {
                self.start(next);
                next += 1;
            }
            if self.running.is_empty() {
                break;
            }
            match self.reports.1.recv_timeout(TICK) {
                Ok((index, world)) => self.ended(index, world),
                // This side holds a sender as well.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            self.look_after();
        }
        match self.failed {
            Some(error) => Err(error),
            None => Ok((self.finished, self.record)),
        }
    }

    fn halted(&self) -> bool {
        self.failed.is_some() || self.watch.interrupted.load(Ordering::Relaxed)
    }

    fn start(&mut self, index: usize) {
        let Some(job) = self.jobs.get(index).cloned() else { return };
        (self.on_event)(Event::Started(&job.id, job.world));
        let (stop, hears) = Stopped::channel();
        let (report, own) = (self.reports.0.clone(), job.clone());
        let thread = std::thread::Builder::new().name("world".to_owned());
        let thread = thread.spawn(move || {
            // Nobody listens any more when the run has given this world up.
            let _ = report.send((index, whatever_happens(&own, hears).map(Box::new)));
        });
        let (thread, error) = match thread {
            Ok(thread) => (Some(thread), None),
            Err(error) => (None, Some(error)),
        };
        let running = Running { since: (self.watch.now)(), stop: Some(stop), told: None, thread };
        self.running.insert(index, running);
        if let Some(error) = error {
            let text = format!("no thread could be made ({error}); run fewer worlds at once with --jobs");
            self.ended(index, Some(Box::new(stopped(&job, text))));
        }
    }

    /// Puts a world into the record; one that was given up earlier is not waited for and not wanted any more.
    fn ended(&mut self, index: usize, world: Option<Box<WorldRecord>>) {
        let Some(running) = self.running.remove(&index) else { return };
        if let Some(thread) = running.thread {
            // It has nothing left to do, and a panic of it was caught.
            let _ = thread.join();
        }
        let (Some(world), None) = (world, &self.failed) else { return };
        let (id, kind) = (world.id.clone(), world.world);
        match self.record.write(&Line::World(world)) {
            Ok(()) => {
                self.finished += 1;
                (self.on_event)(Event::Finished(&id, kind));
            }
            Err(error) => self.failed = Some(error),
        }
    }

    /// Tells worlds to end that must not go on, and gives up those that were told and did not.
    fn look_after(&mut self) {
        let (halted, now, timeout) = (self.halted(), (self.watch.now)(), self.watch.timeout);
        let mut given_up = Vec::new();
        for (index, running) in &mut self.running {
            let late = now.saturating_sub(running.since) >= timeout;
            if halted || late {
                let why = if halted { Stop::Interrupted } else { Stop::TimedOut(timeout) };
                if let Some(stop) = running.stop.take() {
                    // A world that has just ended does not listen.
                    let _ = stop.send(why);
                    running.told = Some(now);
                }
            }
            if running.told.is_some_and(|told| now.saturating_sub(told) >= GRACE) {
                running.thread = None;
                given_up.push(*index);
            }
        }
        for index in given_up {
            let Some(job) = self.jobs.get(index) else { continue };
            let text = format!(
                "the world did not end within {} and could not be ended; find out where it hangs, or give it more \
                 time with --timeout",
                seconds(timeout)
            );
            let world = (!halted).then(|| Box::new(stopped(job, text)));
            self.ended(index, world);
        }
    }
}

/// A node that panics takes its own world down and no other.
fn whatever_happens(job: &Job, hears: Stopped) -> Option<WorldRecord> {
    catch_unwind(AssertUnwindSafe(|| run_until(job, hears)))
        .unwrap_or_else(|payload| Some(stopped(job, crash::sentence(&*payload, None))))
}

/// A time limit as a user writes it.
pub(crate) fn seconds(time: Duration) -> String {
    let ms = time.as_millis();
    if ms.is_multiple_of(1_000) { format!("{}s", ms / 1_000) } else { format!("{ms}ms") }
}
