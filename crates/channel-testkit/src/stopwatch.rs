//! How long something takes, on a machine that does other things besides.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often it is looked how late the machine is.
const TICK: Duration = Duration::from_millis(20);

/// Measures what is to happen within a time. Beside what is measured a thread asks to be woken every 20 ms, and by how
/// much it was woken too late is left out: on a quiet machine that is next to nothing.
pub struct Stopwatch {
    started: Instant,
    /// In microseconds.
    late: Arc<AtomicU64>,
}

impl Stopwatch {
    /// Starts one.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the time of the machine is what is measured, and a thread feels it")]
    pub fn start() -> Self {
        let (started, late) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let weak = Arc::downgrade(&late);
        thread::spawn(move || {
            loop {
                let asleep_since = Instant::now();
                thread::sleep(TICK);
                // The stopwatch is gone.
                let Some(late) = weak.upgrade() else { return };
                let slept_too_long = asleep_since.elapsed().saturating_sub(TICK);
                late.fetch_add(u64::try_from(slept_too_long.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
        });
        Self { started, late }
    }

    /// How long it has taken so far, and by how much of that the machine was late.
    #[must_use]
    pub fn elapsed(&self) -> (Duration, Duration) {
        let late = Duration::from_micros(self.late.load(Ordering::Relaxed));
        (self.started.elapsed(), late)
    }

    /// How long it has taken so far, without what the machine was late.
    #[must_use]
    pub fn own(&self) -> Duration {
        let (elapsed, late) = self.elapsed();
        elapsed.saturating_sub(late)
    }

    /// Fails when it has taken longer than this, without what the machine was late, of which no more than three times as
    /// much is left out; `what` says what took so long.
    ///
    /// # Panics
    /// When it has.
    pub fn assert_within(&self, bound: Duration, what: &str) {
        let (elapsed, late) = self.elapsed();
        assert!(
            elapsed.saturating_sub(late.min(bound * 3)) <= bound,
            "{what} took {elapsed:?}, though the machine was late by {late:?} only"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::Stopwatch;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Duration;

    #[test]
    fn time_goes_on_and_what_took_too_long_is_told() {
        let stopwatch = Stopwatch::start();
        stopwatch.assert_within(Duration::from_secs(60), "nothing");
        while stopwatch.own() < Duration::from_millis(50) {
            std::thread::yield_now();
        }
        let judged = catch_unwind(AssertUnwindSafe(|| stopwatch.assert_within(Duration::from_millis(10), "turning round")));
        let words = judged.expect_err("50 ms are more than 10");
        assert!(words.downcast_ref::<String>().is_some_and(|words| words.starts_with("turning round took ")));
    }
}
