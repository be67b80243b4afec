//! Nodes that crash or hang, and disks that are full: the worlds that are hit say so, and the others go on.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::Plan;
use model::plan::NetKind;
use model::results::{Results, ScenarioResult};
use model::verdict::Ending;
use net::{Fate, InFlight, Interceptor};
use rstest::rstest;
use runner::{Event, Meddler, Watch};

use crate::kept::{How, PLAINLY, judged, prepared};
use crate::stage::plan;

/// Two calls that are not each other's, and the trouble is made in the second.
fn two(keys: &str) -> Vec<Plan> {
    let named = |id: &str, keys: &str| Plan { id: id.to_owned(), ..plan(keys, "audio", "  - talk: 1s") };
    vec![named("test/sound", "path: direct"), named("test/troubled", keys)]
}

/// Lets so many datagrams pass, and then does something else.
struct After<F> {
    left: u32,
    deed: F,
}

impl<F: FnMut() + Send> Interceptor for After<F> {
    fn datagram(&mut self, _: Duration, _: &InFlight) -> Fate {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            (self.deed)();
        }
        Fate::Pass
    }
}

/// Whoever makes trouble in `test/troubled`, after so many datagrams.
fn meddler(datagrams: u32, deed: impl FnMut() + Clone + Send + Sync + 'static) -> Meddler {
    Meddler::new(move |job, net| {
        if job.id == "test/troubled" && job.world == model::record::WorldKind::Variant {
            net.intercept(Box::new(After { left: datagrams, deed: deed.clone() }));
        }
    })
}

fn only<'r>(results: &'r Results, id: &str) -> &'r ScenarioResult {
    results
        .scenarios
        .iter()
        .find(|scenario| scenario.id == id)
        .unwrap_or_else(|| panic!("{id} is lost: {:?}", results.lost))
}

fn patient() -> (AtomicBool, Duration) {
    (AtomicBool::new(false), Duration::MAX)
}

#[rstest]
#[case::in_memory(NetKind::Memory)]
#[case::over_sockets(NetKind::Loopback)]
fn a_node_that_crashes_takes_its_own_world_down_and_no_other(#[case] net: NetKind) {
    let folder = tempfile::tempdir().expect("a folder");
    let meddler = meddler(60, || panic!("the node is made to crash"));
    let run = prepared(two(""), How { jobs: 2, net, ..PLAINLY }, folder.path(), Some(meddler));
    let (interrupted, timeout) = patient();
    let watch = Watch { interrupted: &interrupted, timeout, now: &|| Duration::ZERO };
    let worlds = run.execute(&watch, &|_| {}).expect("recorded");
    assert_eq!((worlds.finished, worlds.planned), (4, 4));
    let results = judged(folder.path()).expect("a record");
    assert!(!results.partial);
    assert_eq!(only(&results, "test/sound").verdict, Ending::Pass);
    let troubled = only(&results, "test/troubled");
    assert_eq!(troubled.verdict, Ending::Error);
    assert!(troubled.why.starts_with("a node crashed at bad_days.rs:"), "{}", troubled.why);
    assert!(troubled.why.contains("(the node is made to crash)"), "{}", troubled.why);
    let capture = std::fs::read(folder.path().join(troubled.capture.as_ref().expect("a name")));
    let capture = audit::capture::Capture::read(capture.expect("a capture"));
    assert!(capture.problems.is_empty() && capture.packets.len() > 60, "{:?}", capture.problems);
}

/// A clock that stands still until all worlds but some have ended and those are in trouble, and is asked often after
/// that.
struct Clock {
    others: usize,
    ended: AtomicUsize,
    in_trouble: Arc<AtomicBool>,
    asked: AtomicU64,
    /// The seconds, by how often it was asked.
    seconds: fn(u64) -> u64,
}

impl Clock {
    fn after(others: usize, seconds: fn(u64) -> u64) -> Self {
        let (ended, in_trouble) = (AtomicUsize::new(0), Arc::default());
        Self { others, ended, in_trouble, asked: AtomicU64::new(0), seconds }
    }

    fn now(&self) -> Duration {
        if self.ended.load(Ordering::Relaxed) < self.others || !self.in_trouble.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        Duration::from_secs((self.seconds)(self.asked.fetch_add(1, Ordering::Relaxed)))
    }

    fn saw(&self, event: Event<'_>) {
        if let Event::Finished(..) = event {
            self.ended.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_world_that_waits_for_ever_is_ended_and_says_where_it_stood() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut plans = two("");
    plans[1] = Plan { id: "test/troubled".to_owned(), ..plan("", "audio", "  - talk: 1s\n  - wait: 60min") };
    // The twin of the troubled one waits as well, and two others end.
    let clock = Clock::after(2, |_| 61);
    let in_trouble = clock.in_trouble.clone();
    let meddler = meddler(60, move || in_trouble.store(true, Ordering::Relaxed));
    let run =
        prepared(plans, How { jobs: 4, net: NetKind::Loopback, ..PLAINLY }, folder.path(), Some(meddler));
    let interrupted = AtomicBool::new(false);
    let watch = Watch { interrupted: &interrupted, timeout: Duration::from_secs(60), now: &|| clock.now() };
    run.execute(&watch, &|event| clock.saw(event)).expect("recorded");
    let results = judged(folder.path()).expect("a record");
    assert_eq!(only(&results, "test/sound").verdict, Ending::Pass);
    let troubled = only(&results, "test/troubled");
    assert_eq!(troubled.verdict, Ending::Error);
    let told = troubled.why.as_str();
    assert!(told.starts_with("the world was ended after 60s while it played step"), "{told}");
    assert!(told.contains("after packet "), "{told}");
}

#[test]
fn a_world_that_cannot_be_ended_is_given_up() {
    // Whoever wants to hear from the sender waits until the test is over.
    static HELD: Mutex<Option<Receiver<()>>> = Mutex::new(None);
    let (ends, hears): (Sender<()>, Receiver<()>) = channel();
    *HELD.lock().expect("nobody has it") = Some(hears);
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::after(3, |asked| 60 + asked);
    let in_trouble = clock.in_trouble.clone();
    let stuck = move || {
        in_trouble.store(true, Ordering::Relaxed);
        let hears = HELD.lock().expect("nobody has it").take();
        // An error is the end of the test.
        let _ = hears.map(|hears| hears.recv());
    };
    let run = prepared(two(""), How { jobs: 2, ..PLAINLY }, folder.path(), Some(meddler(60, stuck)));
    let interrupted = AtomicBool::new(false);
    let watch = Watch { interrupted: &interrupted, timeout: Duration::from_secs(60), now: &|| clock.now() };
    let worlds = run.execute(&watch, &|event| clock.saw(event)).expect("recorded");
    assert_eq!((worlds.finished, worlds.planned), (4, 4));
    let results = judged(folder.path()).expect("a record");
    assert_eq!(only(&results, "test/sound").verdict, Ending::Pass);
    let troubled = only(&results, "test/troubled");
    assert_eq!(troubled.verdict, Ending::Error);
    assert!(troubled.why.starts_with("the world did not end within 60s"), "{}", troubled.why);
    drop(ends);
}

#[test]
fn a_world_that_uses_up_its_own_time_names_the_step_and_the_packet() {
    let folder = tempfile::tempdir().expect("a folder");
    let ignored = "  - ignore: bob\n  - call: { from: alice, to: bob, media: [audio] }\n".repeat(5);
    let text = format!(
        "scenario: A test\nabout: Made for one test.\ntenants:\n  contoso.example:\n    policies: {{ Global: \
         DisabledUserOverride }}\n    users: {{ alice: {{ e2ee: on }}, bob: {{ e2ee: on }} }}\nsteps:\n  - call: {{ \
         from: alice, to: bob, media: [audio] }}\n{ignored}  - ignore: bob\n"
    );
    let read = scenario::read("call-kinds", "troubled", "t.yaml", &text, &scenario::Vocabulary::default());
    let plan = read.unwrap_or_else(|errors| panic!("{errors:?}")).into_iter().next().expect("a variant").plan;
    let (interrupted, timeout) = patient();
    let watch = Watch { interrupted: &interrupted, timeout, now: &|| Duration::ZERO };
    prepared(vec![plan], PLAINLY, folder.path(), None).execute(&watch, &|_| {}).expect("recorded");
    let results = judged(folder.path()).expect("a record");
    let troubled = only(&results, "call-kinds/troubled");
    assert_eq!(troubled.verdict, Ending::Error);
    let told = troubled.why.as_str();
    assert!(
        told.starts_with(
            "the world took longer than its 120s while it played step 8, `ignore`, after packet "
        ),
        "{told}"
    );
}

/// Nothing that is written there is kept.
const FULL: &str = "/dev/full";

#[rstest]
#[case::capture("captures/test_troubled.pcapng")]
#[case::keys("keys/test_troubled.parties.keys")]
fn a_file_that_cannot_be_written_is_named(#[case] file: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let run = prepared(two(""), PLAINLY, folder.path(), None);
    std::os::unix::fs::symlink(FULL, folder.path().join(file)).expect("a link");
    let (interrupted, timeout) = patient();
    let watch = Watch { interrupted: &interrupted, timeout, now: &|| Duration::ZERO };
    run.execute(&watch, &|_| {}).expect("recorded");
    // Whoever reads from it comes to no end.
    std::fs::remove_file(folder.path().join(file)).expect("removed");
    let results = judged(folder.path()).expect("a record");
    assert_eq!(only(&results, "test/sound").verdict, Ending::Pass);
    let troubled = only(&results, "test/troubled");
    assert_eq!(troubled.verdict, Ending::Error);
    let told =
        format!("`{file}` could not be written whole (no storage space); make room or choose another folder");
    assert_eq!(troubled.why, told);
}
