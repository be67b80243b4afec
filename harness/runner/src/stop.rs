//! Ending a world from outside, before it comes to its own end.

use std::time::Duration;

use tokio::sync::oneshot;

/// Why a world is told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The whole run is to end: what the world has done so far counts for nothing.
    Interrupted,
    /// It has used up the time that a world may take.
    TimedOut(Duration),
}

/// Where a world hears that it is to end.
pub(crate) struct Stopped(Option<oneshot::Receiver<Stop>>);

impl Stopped {
    /// For a world that nobody ends.
    pub(crate) const fn never() -> Self {
        Self(None)
    }

    /// One that hears what is sent.
    pub(crate) fn channel() -> (oneshot::Sender<Stop>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(Some(receiver)))
    }

    /// Waits until the world is told to end.
    pub(crate) async fn come(&mut self) -> Stop {
        if let Some(receiver) = &mut self.0
            && let Ok(stop) = receiver.await
        {
            return stop;
        }
        self.0 = None;
        std::future::pending().await
    }
}
