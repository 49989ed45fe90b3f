//! One size of a centre, measured.

use crate::centre::Centre;
use crate::clock::{Clock, Figures, load, peak_mib};
use crate::directory::directory;
use crate::row::{Row, Target};
use std::str::FromStr;
use switchboard_model::{Distribution, Effect, Input, QueueOrder, StatusValue};

const AT_1_000_PER_SECOND: f64 = 200_000.0;
const AT_10_000_PER_SECOND: f64 = 50_000.0;
const AT_10_000_P99_US: f64 = 100.0;
const LARGEST_MIB: f64 = 2_048.0;
const WARM_UP: usize = 5_000;

/// How the centre works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Four distributions side by side.
    #[default]
    Mixed,
    /// One distribution everywhere.
    Only(Distribution),
    /// As mixed, and what waits goes by generalised cμ.
    Gcmu,
    /// As mixed; everybody signs on within a second onto what waits.
    SignOn,
}

/// What is measured.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Size {
    /// People.
    pub agents: usize,
    /// Items that wait.
    pub waiting: usize,
    /// How the centre works.
    pub kind: Kind,
}

/// Names of rows that others are derived from.
pub(crate) const PER_DECISION: &str = "one decision p50";

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mixed" => Ok(Self::Mixed),
            "gcmu" => Ok(Self::Gcmu),
            "sign-on" => Ok(Self::SignOn),
            _ => serde_json::from_value(text.into()).map(Self::Only).map_err(|_| format!("{text} is no kind of centre")),
        }
    }
}

impl Kind {
    /// As it stands on the command line.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Mixed => "mixed".to_owned(),
            Self::Gcmu => "gcmu".to_owned(),
            Self::SignOn => "sign-on".to_owned(),
            Self::Only(distribution) => distribution.to_string(),
        }
    }
}

impl Size {
    /// The name of the size in rows.
    pub(crate) fn name(&self) -> String {
        let kind = if self.kind == Kind::Mixed { String::new() } else { format!(", {}", self.kind.name()) };
        format!("matcher, {} agents × {} waiting{kind}", grouped(self.agents), grouped(self.waiting))
    }

    /// Measures the size in this process.
    pub(crate) fn rows(&self, quick: bool) -> Vec<Row> {
        if self.kind == Kind::SignOn {
            return self.sign_on(if quick { 1 } else { 3 });
        }
        let (repetitions, rounds) = if quick { (3, 5_000) } else { (5, 30_000) };
        let load_before = load();
        let mut centre = self.centre();
        for _ in 0..WARM_UP {
            round(&mut centre, &mut Clock::default());
        }
        let mut measured = Measured::default();
        for _ in 0..repetitions {
            let mut clock = Clock::default();
            for _ in 0..rounds {
                round(&mut centre, &mut clock);
            }
            measured.take_in(clock);
        }
        let mut rows = self.times(&measured, &format!("load {load_before} before, {} after", load()));
        rows.push(self.memory());
        rows.push(self.record(&mut centre));
        rows
    }

    /// Runs rounds at the size, for a tool that counts.
    pub(crate) fn run(&self, rounds: usize) {
        let mut centre = self.centre();
        for _ in 0..rounds {
            round(&mut centre, &mut Clock::default());
        }
    }

    fn centre(&self) -> Centre {
        let mut centre = Centre::new(self.directory(), true);
        centre.fill(self.waiting);
        centre
    }

    fn directory(&self) -> switchboard_model::Directory {
        let only = if let Kind::Only(distribution) = self.kind { Some(distribution) } else { None };
        let order = if self.kind == Kind::Gcmu { QueueOrder::Gcmu } else { QueueOrder::default() };
        directory(self.agents, only, order)
    }

    fn times(&self, measured: &Measured, load: &str) -> Vec<Row> {
        let (mut rate, mut tail) = (Target::None, Target::None);
        if self.kind == Kind::Mixed {
            match (self.agents, self.waiting) {
                (1_000, 0) => rate = Target::AtLeast(AT_1_000_PER_SECOND),
                (10_000, 100_000) => {
                    (rate, tail) = (Target::AtLeast(AT_10_000_PER_SECOND), Target::AtMost(AT_10_000_P99_US));
                }
                _ => {}
            }
        }
        let row = |what: &str, unit, of: &dyn Fn(&(Figures, Figures)) -> f64, target| {
            Row::new(format!("{}, {what}", self.name()), unit, measured.0.iter().map(of).collect(), target)
        };
        vec![
            row("on the processor", "decisions/s", &|(_, own)| own.per_second, rate).noting(load),
            row(PER_DECISION, "µs", &|(_, own)| own.p50_us, Target::None),
            row("one decision p99", "µs", &|(_, own)| own.p99_us, tail),
            row("on the wall", "decisions/s", &|(wall, _)| wall.per_second, Target::None),
            row("on the wall p50", "µs", &|(wall, _)| wall.p50_us, Target::None),
            row("on the wall p99", "µs", &|(wall, _)| wall.p99_us, Target::None),
        ]
    }

    fn memory(&self) -> Row {
        let is_largest = (self.agents, self.waiting) == (50_000, 1_000_000);
        let target = if is_largest { Target::AtMost(LARGEST_MIB) } else { Target::None };
        let samples: Vec<f64> = peak_mib().into_iter().collect();
        let note =
            if samples.is_empty() { "this system does not tell" } else { "the most that was resident, the bench included" };
        Row::new(format!("{}, memory", self.name()), "MiB", samples, target).noting(note)
    }

    /// How long the stored record of a decision is.
    fn record(&self, centre: &mut Centre) -> Row {
        let mut lengths = Vec::new();
        for _ in 0..1_000 {
            let inputs = [centre.closure(), Input::Arrived(centre.arrival())];
            for input in inputs {
                let effects = centre.router.step(centre.router.no() + 1, centre.now, &input);
                let decisions =
                    effects.iter().filter_map(|effect| if let Effect::Decide(one) = effect { Some(one) } else { None });
                lengths.extend(decisions.map(|one| serde_json::to_string(one).expect("a record is an object").len() as f64));
                centre.take_in(effects);
            }
        }
        let mean = lengths.iter().sum::<f64>() / lengths.len().max(1) as f64;
        Row::new(format!("{}, record of a decision", self.name()), "bytes", vec![mean], Target::None)
            .noting("as JSON, before what the database adds")
    }

    fn sign_on(&self, repetitions: usize) -> Vec<Row> {
        let (mut measured, mut total_ms, load_before) = (Measured::default(), Vec::new(), load());
        for _ in 0..repetitions {
            let mut centre = Centre::new(self.directory(), false);
            for _ in 0..self.waiting {
                let arrival = centre.arrival();
                centre.step(&Input::Arrived(arrival));
            }
            let (begin, mut clock) = (centre.now, Clock::default());
            let mut took_ms = 0.0;
            for index in 0..self.agents {
                let passed_ms = index * 1_000 / self.agents;
                centre.now = begin.plus_ms(i64::try_from(passed_ms).expect("within a second"));
                let input = centre.status(index, StatusValue::Available);
                let start = std::time::Instant::now();
                let effects = clock.time(|| centre.router.step(centre.router.no() + 1, centre.now, &input));
                took_ms += start.elapsed().as_secs_f64() * 1e3;
                let decided = centre.take_in(effects);
                clock.decided(decided);
            }
            measured.take_in(clock);
            total_ms.push(took_ms);
        }
        let mut rows = self.times(&measured, &format!("load {load_before} before, {} after", load()));
        rows.push(
            Row::new(format!("{}, all of them", self.name()), "ms", total_ms, Target::AtMost(1_000.0))
                .noting("on the wall; a step is one person and gives out what that person bears"),
        );
        rows.push(self.memory());
        rows
    }
}

/// Figures of each repetition.
#[derive(Debug, Default)]
struct Measured(Vec<(Figures, Figures)>);

impl Measured {
    fn take_in(&mut self, clock: Clock) {
        self.0.push(clock.figures());
    }
}

/// Somebody closes an item, and another arrives.
fn round(centre: &mut Centre, clock: &mut Clock) {
    let (closing, arriving) = (centre.closure(), Input::Arrived(centre.arrival()));
    centre.now = centre.now.plus_ms(1);
    let (router, now) = (&mut centre.router, centre.now);
    let (closed, arrived) = clock.time(|| {
        let closed = router.step(router.no() + 1, now, &closing);
        (closed, router.step(router.no() + 1, now, &arriving))
    });
    let decided = centre.take_in(closed) + centre.take_in(arrived);
    clock.decided(decided);
}

/// A number with spaces between thousands.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
