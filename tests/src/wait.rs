//! Waiting for something to become true, with a deadline and the last state in the message when it does not.

use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval};

/// How often a condition is looked at.
const EVERY: Duration = Duration::from_millis(20);

/// Looks until `look` answers `Ok`, and answers with that.
///
/// # Panics
/// When it has not within the time given, with `what` was waited for and the last `Err`.
pub async fn eventually<T>(what: &str, within: Duration, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let started = Instant::now();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match look().await {
            Ok(found) => return found,
            Err(state) if started.elapsed() > within => panic!("within {within:?} it did not happen that {what}; last: {state}"),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::eventually;
    use std::time::Duration;

    #[tokio::test]
    async fn the_first_ok_is_the_answer() {
        let mut looks = 0;
        let answer = eventually("it counts to three", Duration::from_secs(5), async || {
            looks += 1;
            if looks == 3 { Ok(looks) } else { Err(format!("{looks}")) }
        });
        assert_eq!(answer.await, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "it did not happen that pigs fly; last: on the ground")]
    async fn what_never_comes_fails_with_its_last_state() {
        eventually("pigs fly", Duration::from_millis(50), async || Err::<(), _>("on the ground".to_owned())).await;
    }
}
