//! From traffic to the load of one seed.

use crate::durations::Durations;
use crate::load::{Job, Load};
use crate::random::Stream;
use crate::traffic::{ChannelTraffic, Generated, Mix, Recorded, Traffic};
use crate::zone::Zone;
use std::collections::BTreeMap;
use switchboard_model::{ChannelEntry, ChannelId, CivilDate, Directory, FactField, Facts, Timestamp};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What each stream of random numbers is for.
#[derive(Clone, Copy)]
enum Purpose {
    Gaps = 1,
    Services,
    Patience,
    Mix,
    Items,
}

impl Traffic {
    /// The load of a seed. `directories` are asked in turn for the channels and people that are named.
    #[must_use]
    pub fn draw(&self, directories: &[&Directory], seed: u64) -> Load {
        match self {
            Self::Recorded(recorded) => recorded.draw(seed),
            Self::Generated(generated) => generated.draw(directories, seed),
        }
    }

    /// The first instant, and the first after the last arrival.
    #[must_use]
    pub fn span(&self) -> (Timestamp, Timestamp) {
        match self {
            Self::Recorded(recorded) => {
                let at = |arrival: Option<&crate::traffic::RecordedArrival>| arrival.map_or(Timestamp(0), |arrival| arrival.at);
                (at(recorded.arrivals.first()), at(recorded.arrivals.last()).plus_ms(1))
            }
            Self::Generated(generated) => {
                let start = midnight(generated.start);
                (start, start.plus_ms(i64::from(generated.days) * DAY_MS))
            }
        }
    }

    /// Expected arrivals in every hour of the span: of a profile, or the mean of the same hour of all recorded weeks.
    #[must_use]
    pub fn hourly(&self, directories: &[&Directory]) -> Vec<f64> {
        let (from, to) = self.span();
        let hours = usize::try_from((to.ms_since(from) + HOUR_MS - 1) / HOUR_MS).unwrap_or_default();
        match self {
            Self::Recorded(recorded) => {
                let mut counts = vec![0.0; hours];
                for arrival in &recorded.arrivals {
                    counts[usize::try_from(arrival.at.ms_since(from) / HOUR_MS).unwrap_or_default().min(hours - 1)] += 1.0;
                }
                let of_week = |hour: usize| (hour % 168..hours).step_by(168);
                let mean = |hour| of_week(hour).map(|hour| counts[hour]).sum::<f64>() / of_week(hour).count() as f64;
                (0..hours).map(mean).collect()
            }
            Self::Generated(generated) => {
                let mut hourly = vec![0.0; hours];
                for (slug, traffic) in &generated.channels {
                    let Some(channel) = channel(directories, slug) else { continue };
                    let zone = Zone::of(directories, &channel.zone);
                    for (hour, expected) in (0_i64..).zip(&mut hourly) {
                        *expected += traffic.rate(&zone, from.plus_ms(hour * HOUR_MS + HOUR_MS / 2));
                    }
                }
                hourly
            }
        }
    }
}

impl Recorded {
    fn draw(&self, seed: u64) -> Load {
        let mut measured: BTreeMap<ChannelId, Vec<i64>> = BTreeMap::new();
        for arrival in &self.arrivals {
            measured.entry(arrival.channel).or_default().extend(arrival.service_ms);
        }
        let measured = measured.into_iter().map(|(channel, values_ms)| (channel, Durations::Measured { values_ms }));
        let mut services: BTreeMap<ChannelId, Durations> = measured.collect();
        services.extend(self.service.iter().map(|(channel, durations)| (*channel, durations.clone())));
        let stream = |purpose| Stream::new(seed, &[purpose as u64]);
        let (mut service, mut patience) = (stream(Purpose::Services), stream(Purpose::Patience));
        let mut items = stream(Purpose::Items);
        let jobs = self.arrivals.iter().map(|arrival| {
            // Drawn whether it is used or not, so that nothing else depends on what is known.
            let drawn_ms = services.get(&arrival.channel).map_or(0, |durations| durations.draw_ms(&mut service));
            let as_it_was = if seed == 0 && !self.service.contains_key(&arrival.channel) { arrival.service_ms } else { None };
            Job {
                event: arrival.event,
                contact: arrival.contact.clone(),
                facts: arrival.facts.clone(),
                previous_owner: arrival.previous_owner,
                priority: arrival.priority,
                due_at: arrival.due_in_ms.map(|due_in_ms| arrival.at.plus_ms(due_in_ms)),
                service_ms: as_it_was.unwrap_or(drawn_ms),
                patience_ms: self.patience.get(&arrival.channel).map(|durations| durations.draw_ms(&mut patience)),
                seed: items.bits(),
                ..Job::new(arrival.at, arrival.channel)
            }
        });
        Load { jobs: jobs.collect(), statuses: self.statuses.clone(), missed: self.missed.clone() }
    }
}

impl Generated {
    fn draw(&self, directories: &[&Directory], seed: u64) -> Load {
        let mut load = Load::default();
        for (number, (slug, traffic)) in (1..).zip(&self.channels) {
            let Some(channel) = channel(directories, slug) else { continue };
            let stream = |purpose| Stream::new(seed, &[number, purpose as u64]);
            traffic.draw(self, directories, channel, stream, &mut load.jobs);
            if let Some(missed) = &traffic.missed {
                load.missed.insert(channel.id, missed.clone());
            }
        }
        load.jobs.sort_by_key(|job| (job.at, job.channel));
        load
    }
}

impl ChannelTraffic {
    /// Expected arrivals per hour at an instant.
    fn rate(&self, zone: &Zone, at: Timestamp) -> f64 {
        let hour = zone.hour_of_week(at);
        match self.per_hour.len() {
            0 => 0.0,
            168 => self.per_hour[hour],
            24 => self.per_hour[hour % 24],
            _ => self.per_hour[0],
        }
    }

    /// Draws arrivals at the highest rate and keeps each with the probability that its hour has of it.
    fn draw(
        &self,
        generated: &Generated,
        directories: &[&Directory],
        channel: &ChannelEntry,
        stream: impl Fn(Purpose) -> Stream,
        jobs: &mut Vec<Job>,
    ) {
        let highest = self.per_hour.iter().copied().fold(0.0, f64::max);
        if highest <= 0.0 {
            return;
        }
        let zone = Zone::of(directories, &channel.zone);
        let (mut gaps, mut services, mut patience) =
            (stream(Purpose::Gaps), stream(Purpose::Services), stream(Purpose::Patience));
        let (mut mix, mut items) = (stream(Purpose::Mix), stream(Purpose::Items));
        // A million seconds stand for an hour over the highest rate, so that no gap is rounded.
        let gap = Durations::Exponential { mean_s: 1e6 };
        let start = midnight(generated.start);
        let end_ms = f64::from(generated.days) * DAY_MS as f64;
        let mut after_ms = 0.0;
        loop {
            after_ms += gap.draw_ms(&mut gaps) as f64 / 1e9 / highest * HOUR_MS as f64;
            if after_ms >= end_ms {
                return;
            }
            let at = start.plus_ms(after_ms as i64);
            if gaps.share() * highest >= self.rate(&zone, at) {
                continue;
            }
            let mut job = Job {
                service_ms: self.service.draw_ms(&mut services),
                patience_ms: self.patience.as_ref().map(|durations| durations.draw_ms(&mut patience)),
                seed: items.bits(),
                ..Job::new(at, channel.id)
            };
            job.contact.proven = true;
            let mut left = mix.share();
            let sort = self.mix.iter().find(|sort| {
                left -= sort.share;
                left < 0.0
            });
            if let Some(sort) = sort {
                sort.put_on(&mut job, directories);
            }
            complete(&mut job.facts, channel, job.contact.owner.is_some());
            jobs.push(job);
        }
    }
}

impl Mix {
    fn put_on(&self, job: &mut Job, directories: &[&Directory]) {
        let owner = |email: &String| directories.iter().find_map(|directory| directory.user_by_email(email));
        job.contact.owner = self.contact_owner.as_ref().and_then(owner).map(|user| user.id);
        job.facts = self.facts.iter().map(|(name, value)| (FactField(name.clone()), value.clone())).collect();
        job.priority = self.priority;
        job.due_at = self.due_min.map(|due_min| job.at.plus_ms(i64::from(due_min) * 60_000));
    }
}

/// Adds the facts that follow from the channel and the contact, where they are not given.
pub(crate) fn complete(facts: &mut Facts, channel: &ChannelEntry, has_owner: bool) {
    let known = [
        ("channel.kind", channel.kind.to_string()),
        ("channel.slug", channel.slug.clone()),
        ("contact.has_owner", has_owner.to_string()),
        ("contact.known", "true".to_owned()),
    ];
    for (name, value) in known {
        facts.entry(FactField(name.to_owned())).or_insert(value);
    }
}

fn channel<'a>(directories: &[&'a Directory], slug: &str) -> Option<&'a ChannelEntry> {
    directories.iter().find_map(|directory| directory.channel_by_slug(slug))
}

fn midnight(date: CivilDate) -> Timestamp {
    let civil = jiff::civil::Date::new(date.year, i8::try_from(date.month).unwrap_or(1), i8::try_from(date.day).unwrap_or(1));
    let zoned = civil.and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC));
    Timestamp(zoned.map_or(0, |zoned| zoned.timestamp().as_millisecond()))
}
