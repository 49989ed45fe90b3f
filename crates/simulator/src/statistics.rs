//! Figures from samples, with how far chance may have moved them.

use serde::{Deserialize, Serialize};

/// A figure over several seeds with its 95 % confidence interval, by Student's t.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean over seeds.
    pub mean: f64,
    /// The lower end; the mean itself with a single seed.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Estimate {
    /// From one figure per seed; `None` without any.
    #[must_use]
    pub fn of(figures: &[f64]) -> Option<Self> {
        let (mean, error) = mean_and_error(figures)?;
        let reach = error * student_t(figures.len() - 1);
        Some(Self { mean, low: mean - reach, high: mean + reach })
    }

    /// Whether the interval leaves zero out, so that a difference is not chance alone.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// The mean of independent figures and its standard error, which is 0 for a single figure; `None` without any.
#[must_use]
pub fn mean_and_error(figures: &[f64]) -> Option<(f64, f64)> {
    let count = figures.len() as f64;
    if figures.is_empty() {
        return None;
    }
    let mean = figures.iter().sum::<f64>() / count;
    if figures.len() == 1 {
        return Some((mean, 0.0));
    }
    let variance = figures.iter().map(|figure| (figure - mean).powi(2)).sum::<f64>() / (count - 1.0);
    Some((mean, (variance / count).sqrt()))
}

/// The value that this share of an ascending sample does not exceed (nearest rank); `None` for an empty one.
#[must_use]
pub fn percentile<T: Copy>(ascending: &[T], share: f64) -> Option<T> {
    let last = ascending.len().checked_sub(1)?;
    let rank = (share * ascending.len() as f64).ceil() as usize;
    Some(ascending[rank.saturating_sub(1).min(last)])
}

/// The two-sided 95 % point of Student's t: a table up to 30 degrees of freedom, a series in their inverse beyond.
fn student_t(degrees: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110,
        2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];
    match degrees {
        0 => 0.0,
        1..=30 => TABLE[degrees - 1],
        _ => {
            let inverse = 1.0 / degrees as f64;
            1.959_964 + inverse * (2.372_27 + inverse * 2.822_5)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Estimate, percentile, student_t};

    #[test]
    fn an_interval_is_that_of_the_textbook() {
        let estimate = Estimate::of(&[9.0, 10.0, 11.0, 12.0, 13.0]).unwrap();
        let reach = 2.776 * (2.5_f64 / 5.0).sqrt();
        assert!((estimate.mean - 11.0).abs() < 1e-12 && (estimate.high - 11.0 - reach).abs() < 1e-12);
        assert!(estimate.is_clear());
        assert_eq!(Estimate::of(&[3.0]), Some(Estimate { mean: 3.0, low: 3.0, high: 3.0 }));
        assert_eq!(Estimate::of(&[]), None);
    }

    #[test]
    fn students_t_goes_on_where_the_table_ends() {
        assert!((student_t(31) - 2.0395).abs() < 5e-4 && (student_t(60) - 2.0003).abs() < 5e-4);
        assert!((student_t(1_000) - 1.9623).abs() < 5e-4);
    }

    #[test]
    fn percentiles_are_values_of_the_sample() {
        let sample = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
        let found: Vec<i32> = [0.0, 0.1, 0.11, 0.5, 0.9, 0.99, 1.0].iter().filter_map(|p| percentile(&sample, *p)).collect();
        assert_eq!(found, [1, 1, 2, 5, 9, 10, 10]);
        assert_eq!(percentile::<i32>(&[], 0.5), None);
    }
}
