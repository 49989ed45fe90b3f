//! Exact results for pooled queues: the floor under any rule that divides people up.
//!
//! Notation: A is the offered load λS, N the number of places, S the mean service time; times in seconds.

/// The queue M/M/N, first come first served (Erlang C).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErlangC {
    /// The probability of having to wait.
    pub wait_probability: f64,
    /// The mean wait in seconds, over all arrivals.
    pub mean_wait_s: f64,
    /// The mean number waiting.
    pub mean_queue: f64,
    /// N − A, the places to spare.
    spare: f64,
    service_s: f64,
}

impl ErlangC {
    /// The queue with these places, load and mean service time; `None` without places or where the load is not below
    /// them, when the queue grows for ever.
    #[must_use]
    pub fn new(places: u32, load: f64, service_s: f64) -> Option<Self> {
        let count = f64::from(places);
        if !(load >= 0.0 && load < count && service_s > 0.0) {
            return None;
        }
        let blocked = (1..=places).fold(1.0, |b, k| load * b / (f64::from(k) + load * b));
        let utilisation = load / count;
        let wait_probability = blocked / (1.0 - utilisation * (1.0 - blocked));
        let mean_wait_s = wait_probability * service_s / (count - load);
        let mean_queue = load / service_s * mean_wait_s;
        Some(Self { wait_probability, mean_wait_s, mean_queue, spare: count - load, service_s })
    }

    /// The probability of waiting for at most so many seconds.
    #[must_use]
    pub fn within(&self, seconds: f64) -> f64 {
        1.0 - self.wait_probability * (-self.spare * seconds / self.service_s).exp()
    }

    /// The wait in seconds that this share of arrivals stays within.
    #[must_use]
    pub fn percentile_s(&self, share: f64) -> f64 {
        let tail = (1.0 - share) / self.wait_probability;
        if tail >= 1.0 { 0.0 } else { -tail.ln() * self.service_s / self.spare }
    }
}

/// The queue M/M/N whose callers lose patience after an exponential time (Erlang A).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErlangA {
    /// The probability of having to wait.
    pub wait_probability: f64,
    /// The share that leaves.
    pub abandoned: f64,
    /// The mean wait in seconds, over all arrivals, of those who leave until they leave.
    pub mean_wait_s: f64,
    /// The mean number waiting.
    pub mean_queue: f64,
}

impl ErlangA {
    /// The queue with these places, load, mean service time and mean patience; `None` where a number makes no sense.
    #[must_use]
    pub fn new(places: u32, load: f64, service_s: f64, patience_s: f64) -> Option<Self> {
        if !(load > 0.0 && load.is_finite() && service_s > 0.0 && patience_s > 0.0 && patience_s.is_finite()) {
            return None;
        }
        let (count, arrivals) = (f64::from(places), load / service_s);
        // The stationary weights of a birth-death chain, relative to that of all places taken and nobody waiting.
        let mut below = (0.0, 1.0);
        for k in (1..=places).rev() {
            below.1 *= f64::from(k) / load;
            below.0 += below.1;
        }
        let (mut weight, mut waiting, mut queue, mut depth) = (1.0, 1.0, 0.0, 0.0);
        while weight > 1e-18 * waiting || depth < load {
            depth += 1.0;
            weight *= arrivals / (count / service_s + depth / patience_s);
            waiting += weight;
            queue += depth * weight;
        }
        let all = below.0 + waiting;
        let mean_queue = queue / all;
        let mean_wait_s = mean_queue / arrivals;
        Some(Self { wait_probability: waiting / all, abandoned: mean_wait_s / patience_s, mean_wait_s, mean_queue })
    }
}

#[cfg(test)]
mod tests {
    use super::{ErlangA, ErlangC};

    #[test]
    fn without_load_nobody_waits_and_with_too_much_there_is_no_answer() {
        let idle = ErlangC::new(3, 0.0, 240.0).unwrap();
        assert_eq!((idle.wait_probability, idle.mean_wait_s, idle.percentile_s(0.99)), (0.0, 0.0, 0.0));
        assert_eq!(ErlangC::new(3, 3.0, 240.0), None);
        assert_eq!(ErlangC::new(0, 0.0, 240.0), None);
    }

    #[test]
    fn one_place_is_the_queue_of_the_textbook() {
        let queue = ErlangC::new(1, 0.8, 60.0).unwrap();
        assert!((queue.wait_probability - 0.8).abs() < 1e-12);
        assert!((queue.mean_wait_s - 0.8 / 0.2 * 60.0).abs() < 1e-9);
        assert!((queue.within(queue.percentile_s(0.95)) - 0.95).abs() < 1e-12);
    }

    #[test]
    fn endless_patience_brings_erlang_a_to_erlang_c() {
        let (patient, endless) = (ErlangA::new(10, 9.0, 240.0, 1e9).unwrap(), ErlangC::new(10, 9.0, 240.0).unwrap());
        assert!((patient.mean_wait_s / endless.mean_wait_s - 1.0).abs() < 1e-3, "{patient:?} and {endless:?}");
        assert!((patient.wait_probability - endless.wait_probability).abs() < 1e-3);
    }

    #[test]
    fn without_places_everybody_leaves() {
        let nobody = ErlangA::new(0, 5.0, 240.0, 120.0).unwrap();
        assert!((nobody.abandoned - 1.0).abs() < 1e-9 && (nobody.wait_probability - 1.0).abs() < 1e-9);
    }
}
