//! How long things take: service, patience, missed offers.

use crate::random::Stream;
use rand_distr::{Distribution, Exp1, LogNormal};
use serde::{Deserialize, Serialize};

/// The longest that anything may take, so that times stay far from the end of their range.
const MAX_S: f64 = 10.0 * 366.0 * 86_400.0;

/// A distribution of durations. In files: `{ kind = "exponential", mean_s = 240 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Durations {
    /// Always the same.
    Fixed {
        /// In seconds.
        mean_s: f64,
    },
    /// Exponential.
    Exponential {
        /// The mean in seconds.
        mean_s: f64,
    },
    /// Log-normal, the usual shape of service times.
    LogNormal {
        /// The mean in seconds.
        mean_s: f64,
        /// Standard deviation divided by the mean.
        cv: f64,
    },
    /// Drawn with replacement from what was measured.
    Measured {
        /// In milliseconds; at least one.
        values_ms: Vec<i64>,
    },
}

impl Durations {
    /// The mean in seconds.
    #[must_use]
    pub fn mean_s(&self) -> f64 {
        match self {
            Self::Fixed { mean_s } | Self::Exponential { mean_s } | Self::LogNormal { mean_s, .. } => *mean_s,
            Self::Measured { values_ms } => {
                values_ms.iter().map(|value_ms| *value_ms as f64 / 1_000.0).sum::<f64>() / values_ms.len().max(1) as f64
            }
        }
    }

    /// What is wrong with the numbers; `None` when they can be drawn from.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let mean_s = self.mean_s();
        match self {
            Self::Measured { values_ms } if values_ms.is_empty() => Some("`values_ms` is empty".to_owned()),
            Self::Measured { values_ms } if values_ms.iter().any(|value_ms| *value_ms < 0) => {
                Some("`values_ms` holds a negative duration".to_owned())
            }
            _ if !(mean_s.is_finite() && (0.0..=MAX_S).contains(&mean_s)) => {
                Some(format!("`mean_s` is {mean_s}; 0 to {MAX_S} seconds are possible"))
            }
            Self::LogNormal { mean_s, cv } if !(*mean_s > 0.0 && cv.is_finite() && (0.0..=100.0).contains(cv)) => {
                Some(format!("a log-normal duration needs a positive `mean_s` and a `cv` of 0 to 100, not {mean_s} and {cv}"))
            }
            _ => None,
        }
    }

    /// Draws one, in milliseconds. What [`Durations::fault`] names counts as no time at all.
    pub fn draw_ms(&self, stream: &mut Stream) -> i64 {
        let seconds = match self {
            Self::Fixed { mean_s } => *mean_s,
            Self::Exponential { mean_s } => {
                let unit: f64 = Exp1.sample(stream.generator());
                unit * mean_s
            }
            Self::LogNormal { mean_s, cv } => {
                LogNormal::from_mean_cv(*mean_s, *cv).map_or(0.0, |durations| durations.sample(stream.generator()))
            }
            Self::Measured { values_ms } if values_ms.is_empty() => 0.0,
            Self::Measured { values_ms } => return values_ms[stream.below(values_ms.len())].max(0),
        };
        (seconds.clamp(0.0, MAX_S) * 1_000.0).round() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::{Durations, Stream};

    #[test]
    fn every_shape_has_the_mean_and_spread_that_it_says() {
        let measured = Durations::Measured { values_ms: vec![100_000, 200_000, 300_000, 400_000, 200_000] };
        for (durations, cv) in [
            (Durations::Fixed { mean_s: 240.0 }, 0.0),
            (Durations::Exponential { mean_s: 240.0 }, 1.0),
            (Durations::LogNormal { mean_s: 240.0, cv: 1.5 }, 1.5),
            (measured, 0.424_918),
        ] {
            let mut stream = Stream::new(1, &[]);
            let drawn: Vec<f64> = (0..200_000).map(|_| durations.draw_ms(&mut stream) as f64 / 1_000.0).collect();
            let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
            let spread = (drawn.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / drawn.len() as f64).sqrt() / mean;
            assert!((mean / durations.mean_s() - 1.0).abs() < 0.02, "{durations:?}: mean {mean}");
            assert!((spread - cv).abs() < 0.05, "{durations:?}: spread {spread}");
        }
    }

    #[test]
    fn impossible_numbers_are_named() {
        for durations in [
            Durations::Fixed { mean_s: f64::NAN },
            Durations::Exponential { mean_s: -1.0 },
            Durations::LogNormal { mean_s: 240.0, cv: -0.1 },
            Durations::LogNormal { mean_s: 0.0, cv: 1.0 },
            Durations::Measured { values_ms: Vec::new() },
            Durations::Measured { values_ms: vec![-5] },
        ] {
            assert!(durations.fault().is_some(), "{durations:?}");
        }
        assert_eq!(Durations::Exponential { mean_s: 240.0 }.fault(), None);
    }

    #[test]
    fn the_words_of_files_are_read() {
        let read: Durations = toml::from_str("kind = \"log_normal\"\nmean_s = 240.0\ncv = 1.2\n").unwrap();
        assert_eq!(read, Durations::LogNormal { mean_s: 240.0, cv: 1.2 });
    }
}
