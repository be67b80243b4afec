//! Panics of nodes: the executor swallows them together with the task that panicked, and the world would wait for a
//! node that is gone.
//!
//! Invariant: a panic on a thread that watches is kept for whoever watches, and printed by nobody; every other panic
//! goes the way it always goes.

use std::any::Any;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe, Location, PanicHookInfo, catch_unwind};
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::task::Poll;

use tokio::sync::Notify;

thread_local! {
    static WATCHING: RefCell<Option<Arc<Crashes>>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Crashes {
    texts: Mutex<Vec<String>>,
    happened: Notify,
}

/// Watches this thread until it is dropped.
pub(crate) struct Watching(Arc<Crashes>);

impl Watching {
    /// Begins to watch this thread.
    pub(crate) fn begin() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                if !kept(info) {
                    before(info);
                }
            }));
        });
        let crashes = Arc::<Crashes>::default();
        WATCHING.set(Some(crashes.clone()));
        Self(crashes)
    }

    /// Waits until something panics.
    pub(crate) async fn crashed(&self) {
        self.0.happened.notified().await;
    }

    /// What has panicked, in the order in which it did.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.texts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        WATCHING.set(None);
    }
}

/// Does `work`; none when it panics, and then it is not polled again.
pub(crate) async fn guarded<F: Future>(work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_) => Poll::Ready(None),
    })
    .await
}

/// What a panic says, in one sentence.
pub(crate) fn sentence(payload: &(dyn Any + Send), place: Option<&Location<'_>>) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("without a word");
    // The name of the file alone: where the sources lie is nobody's business.
    let file = |place: &Location<'_>| Path::new(place.file()).file_name()?.to_str().map(str::to_owned);
    let place = place.and_then(|place| Some(format!(" at {}:{}", file(place)?, place.line())));
    let place = place.unwrap_or_default();
    format!("a node crashed{place} ({text}); this is a fault of the harness, please report it")
}

fn kept(info: &PanicHookInfo<'_>) -> bool {
    let watching = WATCHING.try_with(|watching| watching.borrow().clone());
    let Ok(Some(crashes)) = watching else { return false };
    let text = sentence(info.payload(), info.location());
    crashes.texts.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    crashes.happened.notify_one();
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_noticed_by_whoever_watches_its_thread() {
        let watching = Watching::begin();
        let task = tokio::spawn(async { panic!("out of {}", "milk") });
        watching.crashed().await;
        assert!(task.await.is_err());
        let texts = watching.take();
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts[0].starts_with("a node crashed at crash.rs:"), "{texts:?}");
        assert!(texts[0].contains("(out of milk)"), "{texts:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_panics_ends_without_a_result_and_other_work_with_one() {
        let watching = Watching::begin();
        assert_eq!(guarded(async { 7 }).await, Some(7));
        let fails = std::hint::black_box(true);
        let work = async {
            tokio::task::yield_now().await;
            assert!(!fails, "as it must");
            7
        };
        assert_eq!(guarded(work).await, None);
        assert_eq!(watching.take().len(), 1);
    }

    #[test]
    fn a_thread_that_nobody_watches_is_left_alone() {
        let watching = Watching::begin();
        let other = std::thread::spawn(|| {
            WATCHING.with_borrow(|watching| assert!(watching.is_none()));
        });
        other.join().expect("nobody watches there");
        drop(watching);
        WATCHING.with_borrow(|watching| assert!(watching.is_none()));
    }
}
