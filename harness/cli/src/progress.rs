//! The progress bar: on standard error, and only where that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over the variants of a run or the probes of a check, or nothing.
#[derive(Clone, Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar of `variants`; hidden unless `shown`.
    pub fn new(variants: usize, shown: bool) -> Self {
        Self::of("variants", variants, shown)
    }

    /// A bar of so many `things`; hidden unless `shown`.
    pub fn of(things: &str, many: usize, shown: bool) -> Self {
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(many as u64), target);
        let template = format!("{{bar:30}} {{pos}} of {{len}} {things}, {{elapsed}} {{wide_msg}}");
        bar.set_style(ProgressStyle::with_template(&template).expect("the template names only known keys"));
        if shown {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self(bar)
    }

    /// `id` has begun.
    pub fn began(&self, id: &str) {
        self.0.set_message(id.to_owned());
    }

    /// One more variant is done.
    pub fn ended(&self) {
        self.0.inc(1);
    }

    /// Takes the bar away, so that the report begins on a clean line.
    pub fn close(&self) {
        self.0.finish_and_clear();
    }
}
