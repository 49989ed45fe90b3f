//! From the runs of all seeds to a report.

use crate::compare::Variant;
use crate::figures::{Figures, PersonTime, Waits, curve_shares};
use crate::floor::{Floor, NoFloor, Pooled};
use crate::load::Load;
use crate::outcome::Span;
use crate::report::{self, ChannelWaits, CurvePoint, DemandPrice, Difference, Person, Report, TrafficSummary};
use crate::statistics::Estimate;
use crate::traffic::Traffic;
use std::collections::{BTreeMap, BTreeSet};
use switchboard_model::{Directory, FactField, UnassignedReason, UserId, WorkType};

/// One run, with what the floor needs to know of its load.
pub(crate) struct Run {
    figures: Figures,
    service_s: f64,
    patience_s: Option<f64>,
}

/// Everything a report is made of.
pub(crate) struct Summary<'a> {
    pub traffic: &'a Traffic,
    pub directories: &'a [&'a Directory],
    /// The channels with traffic.
    pub slugs: &'a BTreeSet<&'a str>,
    /// Today, the draft, and the draft without each priced demand.
    pub variants: &'a [Variant],
    /// For each variant, its runs by seed.
    pub runs: &'a [Vec<Run>],
    /// The span that counts.
    pub span: Span,
}

impl Run {
    pub(crate) fn new(load: &Load, figures: Figures) -> Self {
        let jobs = load.jobs.len().max(1) as f64;
        let seconds = |ms: i64| ms as f64 / 1_000.0;
        let patience_s: Option<f64> = load.jobs.iter().map(|job| job.patience_ms.map(seconds)).sum();
        Self {
            figures,
            service_s: load.jobs.iter().map(|job| seconds(job.service_ms)).sum::<f64>() / jobs,
            patience_s: patience_s.map(|sum_s| sum_s / jobs),
        }
    }

    /// The mean wait over all channels, in seconds.
    pub(crate) const fn mean_wait_s(&self) -> f64 {
        self.figures.all.mean_s
    }
}

impl Summary<'_> {
    pub(crate) fn report(&self, floors: &[Floor], priced: Vec<String>, demands: usize) -> Report {
        let today = self.variant(0, &floors[0]);
        let draft = self.variant(1, &floors[1]);
        let differences = self.slugs.iter().filter_map(|slug| Some(((*slug).to_owned(), self.difference(Some(slug))?)));
        let mut notes = self.notes();
        if demands > priced.len() {
            notes.push(format!("{} of {demands} skill demands are priced", priced.len()));
        }
        let prices = (2..).zip(priced).map(|(variant, name)| {
            let with = self.column(1, |figures| figures.all.mean_s);
            let without = self.column(variant, |figures| figures.all.mean_s);
            DemandPrice { name, price_s: paired(&with, &without) }
        });
        Report {
            traffic: TrafficSummary {
                recorded: matches!(self.traffic, Traffic::Recorded(_)),
                from_ms: self.span.from.0,
                to_ms: self.span.to.0,
                arrivals: estimate(&self.column(0, |figures| figures.all.arrivals)),
            },
            seeds: u32::try_from(self.runs[0].len()).unwrap_or(u32::MAX),
            differences: differences.collect(),
            difference: self.difference(None).unwrap_or_else(none),
            demands: prices.collect(),
            today,
            draft,
            notes,
        }
    }

    /// One figure of all runs of a variant, by seed.
    fn column(&self, variant: usize, figure: impl Fn(&Figures) -> f64) -> Vec<f64> {
        self.runs[variant].iter().map(|run| figure(&run.figures)).collect()
    }

    fn variant(&self, index: usize, floor: &Floor) -> report::Variant {
        let Variant { directory, targets_s, .. } = &self.variants[index];
        let mut channels = BTreeMap::new();
        for slug in self.slugs {
            let Some(channel) = directory.channel_by_slug(slug) else { continue };
            let waits: Vec<Waits> = self.of_channel(index, slug);
            let target_s = targets_s.get(&channel.id).copied().unwrap_or_default();
            let waits = ChannelWaits { name: channel.name.clone(), target_s, waits: summarised(&waits) };
            channels.insert((*slug).to_owned(), waits);
        }
        let all: Vec<Waits> = self.runs[index].iter().map(|run| run.figures.all.clone()).collect();
        let all = summarised(&all);
        let means_s = self.column(index, |figures| figures.all.mean_s);
        let floors_s = match floor {
            Floor::Exact(floor_s) => vec![*floor_s; means_s.len()],
            Floor::Simulated(floors_s, _) => floors_s.clone(),
            Floor::None(_) => Vec::new(),
        };
        let gaps: Vec<f64> = means_s.iter().zip(&floors_s).map(|(mean_s, floor_s)| mean_s / floor_s).collect();
        // A floor of next to nothing would make any wait look endless.
        let has_gap = !gaps.is_empty() && floors_s.iter().all(|floor_s| *floor_s > 1e-3);
        report::Variant {
            version: directory.version,
            channels,
            all,
            people: self.people(index),
            pooling_gap: has_gap.then(|| estimate(&gaps)),
            floor_s: (!floors_s.is_empty()).then(|| estimate(&floors_s).mean),
            not_exact: match floor {
                Floor::Exact(_) => None,
                Floor::Simulated(_, why) | Floor::None(why) => Some(why.clone()),
            },
        }
    }

    /// How a channel's arrivals fared, by seed; nothing arrived where it is missing.
    fn of_channel(&self, variant: usize, slug: &str) -> Vec<Waits> {
        let id = self.directories.iter().find_map(|directory| directory.channel_by_slug(slug)).map(|channel| channel.id);
        let of_run = |run: &Run| id.and_then(|id| run.figures.channels.get(&id)).cloned().unwrap_or_default();
        self.runs[variant].iter().map(of_run).collect()
    }

    fn people(&self, variant: usize) -> Vec<Person> {
        let runs = &self.runs[variant];
        let users: BTreeSet<UserId> = runs.iter().flat_map(|run| run.figures.people.keys().copied()).collect();
        let mut people: Vec<Person> = users.into_iter().map(|user| self.person(variant, user)).collect();
        people.retain(|person| person.available_h > 0.0 || person.per_day.mean > 0.0);
        people.sort_by(|one, other| other.load.mean.total_cmp(&one.load.mean).then(one.user.cmp(&other.user)));
        people
    }

    fn person(&self, variant: usize, user: UserId) -> Person {
        let figure = |of: fn(&PersonTime) -> f64| {
            self.column(variant, |figures| of(&figures.people.get(&user).copied().unwrap_or_default()))
        };
        let entry = self.variants[variant].directory.user(user);
        Person {
            user,
            name: entry.map(|entry| entry.name.clone()).unwrap_or_default(),
            email: entry.map(|entry| entry.email.clone()).unwrap_or_default(),
            available_h: estimate(&figure(|time| time.available_h)).mean,
            per_day: estimate(&figure(|time| time.per_day)),
            load: estimate(&figure(|time| time.load)),
            idle: estimate(&figure(|time| time.idle)),
        }
    }

    /// The draft less today: of one channel, or of all; nothing for a channel that one of them lacks.
    fn difference(&self, slug: Option<&str>) -> Option<Difference> {
        let of_variant = |variant: usize| match slug {
            Some(slug) => self.of_channel(variant, slug),
            None => self.runs[variant].iter().map(|run| run.figures.all.clone()).collect(),
        };
        let both_have = |slug| self.directories.iter().all(|directory| directory.channel_by_slug(slug).is_some());
        if slug.is_some_and(|slug| !both_have(slug)) {
            return None;
        }
        let (today, draft) = (of_variant(0), of_variant(1));
        let column = |waits: &[Waits], figure: fn(&Waits) -> f64| waits.iter().map(figure).collect::<Vec<f64>>();
        let of = |figure: fn(&Waits) -> f64| paired(&column(&draft, figure), &column(&today, figure));
        Some(Difference {
            mean_s: of(|waits| waits.mean_s),
            p50_s: of(|waits| waits.p50_s),
            p90_s: of(|waits| waits.p90_s),
            p99_s: of(|waits| waits.p99_s),
            within: of(|waits| waits.within),
            abandoned: of(|waits| waits.abandoned),
        })
    }

    /// Everybody who took something up at some seed.
    pub(crate) fn workers(&self, variant: usize) -> BTreeSet<UserId> {
        let people = self.runs[variant].iter().flat_map(|run| &run.figures.people);
        people.filter(|(_, time)| time.per_day > 0.0).map(|(user, _)| *user).collect()
    }

    /// The mean wait in one pool of these people, as theory has it.
    pub(crate) fn floor(&self, variant: usize) -> Result<f64, NoFloor> {
        let Variant { directory, available, .. } = &self.variants[variant];
        let runs = &self.runs[variant];
        let workers = self.workers(variant);
        let people = available.iter().filter(|(user, _)| workers.contains(user)).map(|(user, spans)| (*user, &spans[..]));
        let people = people.collect();
        let mut types: BTreeMap<WorkType, f64> = BTreeMap::new();
        for slug in self.slugs {
            if let Some(channel) = directory.channel_by_slug(slug) {
                let arrivals: f64 = self.of_channel(variant, slug).iter().map(|waits| waits.arrivals).sum();
                *types.entry(channel.kind.work_type()).or_default() += arrivals;
            }
        }
        let all: f64 = types.values().sum();
        types.values_mut().for_each(|share| *share /= all.max(1.0));
        let count = runs.len() as f64;
        let patience_s: Option<f64> = runs.iter().map(|run| run.patience_s).sum();
        let pooled = Pooled {
            directory,
            people,
            types,
            hourly: &self.traffic.hourly(self.directories),
            from: self.traffic.span().0,
            service_s: runs.iter().map(|run| run.service_s).sum::<f64>() / count,
            patience_s: patience_s.map(|sum_s| sum_s / count),
        };
        pooled.mean_wait_s()
    }

    /// What a reader should bear in mind.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.runs[0].len() == 1 {
            notes.push("one seed says nothing about chance: intervals need at least two".to_owned());
        }
        if let Traffic::Recorded(recorded) = self.traffic {
            let known: BTreeSet<&FactField> = recorded.arrivals.iter().flat_map(|arrival| arrival.facts.keys()).collect();
            for field in asked(self.directories[1]).into_iter().filter(|field| !known.contains(field)) {
                notes.push(format!("the draft asks for `{}`, which no recorded arrival has", field.0));
            }
            let unknown = recorded.arrivals.iter().filter(|arrival| arrival.service_ms.is_none()).count();
            if unknown > 0 {
                let all = recorded.arrivals.len();
                notes.push(format!("how long {unknown} of {all} arrivals took is not known; they take as long as others"));
            }
        }
        for (index, name) in [(0, "today"), (1, "the draft")] {
            let waiting = estimate(&self.column(index, |figures| figures.all.still_waiting)).mean;
            if waiting > 0.0 {
                let percent = waiting * 100.0;
                notes.push(format!("under {name}, {percent:.1} % still wait when the run ends; their waits go on"));
            }
        }
        notes
    }
}

/// Every fact that the rules of a directory ask for.
fn asked(directory: &Directory) -> BTreeSet<FactField> {
    let mut fields = Vec::new();
    let cases = directory.channels.iter().filter_map(|channel| channel.rule.as_ref()).flat_map(|rule| &rule.cases);
    let skills = directory.workspaces.iter().flat_map(|workspace| &workspace.skill_rules);
    for condition in cases.filter_map(|case| case.when.as_ref()).chain(skills.filter_map(|rule| rule.when.as_ref())) {
        condition.fields(&mut fields);
    }
    fields.into_iter().collect()
}

/// Rounded to millionths, which is far below what chance does to it and reads the same from every file.
fn estimate(figures: &[f64]) -> Estimate {
    let Estimate { mean, low, high } = Estimate::of(figures).unwrap_or_default();
    Estimate { mean: rounded(mean), low: rounded(low), high: rounded(high) }
}

fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// The mean of differences, seed by seed.
fn paired(some: &[f64], others: &[f64]) -> Estimate {
    let differences: Vec<f64> = some.iter().zip(others).map(|(one, other)| one - other).collect();
    estimate(&differences)
}

fn none() -> Difference {
    let none = Estimate::default();
    Difference { mean_s: none, p50_s: none, p90_s: none, p99_s: none, within: none, abandoned: none }
}

fn summarised(waits: &[Waits]) -> report::Waits {
    let of = |figure: fn(&Waits) -> f64| estimate(&waits.iter().map(figure).collect::<Vec<f64>>());
    let reasons: BTreeSet<UnassignedReason> = waits.iter().flat_map(|waits| waits.unassigned.keys().copied()).collect();
    let of_reason = |reason: &UnassignedReason| {
        let shares: Vec<f64> = waits.iter().map(|waits| waits.unassigned.get(reason).copied().unwrap_or_default()).collect();
        estimate(&shares)
    };
    let at = |index: usize| waits.iter().filter_map(|waits| waits.curve_s.get(index)).sum::<f64>() / waits.len().max(1) as f64;
    report::Waits {
        arrivals: of(|waits| waits.arrivals),
        mean_s: of(|waits| waits.mean_s),
        p50_s: of(|waits| waits.p50_s),
        p90_s: of(|waits| waits.p90_s),
        p99_s: of(|waits| waits.p99_s),
        within: of(|waits| waits.within),
        abandoned: of(|waits| waits.abandoned),
        still_waiting: of(|waits| waits.still_waiting),
        to_team: of(|waits| waits.to_team),
        unassigned: reasons.iter().map(|reason| (*reason, of_reason(reason))).collect(),
        curve: curve_shares().enumerate().map(|(index, share)| CurvePoint { share, wait_s: rounded(at(index)) }).collect(),
    }
}
