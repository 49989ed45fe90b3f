//! Answers as lines of keys and values; the words themselves are the catalogue's.

use super::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use crate::options::ApiOptions;
use crate::views::Names;
use crate::wording::Wording;
use std::collections::BTreeMap;
use switchboard_model::{
    Candidate, CapacityUse, Change, ItemId, Lack, LaneLack, Outcome, Preference, Remedy, SkipReason, StageTarget, Timestamp,
    UnassignedReason, UnavailableCause, UserId, Verdict, WhyNot, WhyWaiting, WorkType,
};

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const LIV: UserId = UserId(7);
const BO: UserId = UserId(8);

/// What `ask` makes of a wording that answers with keys and knows Liv and Bo.
fn said(ask: impl Fn(&Wording<'_>) -> String) -> String {
    let users = BTreeMap::from([(LIV, "Liv".to_owned()), (BO, "Bo".to_owned())]);
    let names = Names { users, teams: BTreeMap::new(), channel: None, chatflow: None, case: None };
    ask(&Wording::new(&ApiOptions::default().translate, "en", &names))
}

fn candidate(user: UserId, load: u32, verdict: Verdict) -> Candidate {
    let fields = serde_json::json!({"user": user, "team": null, "load": load, "open": load, "limit": null, "last_assigned": null,
        "rank": null, "verdict": verdict});
    serde_json::from_value(fields).expect("a candidate")
}

fn waits(outcome: Outcome) -> WhyWaiting {
    let since = (outcome == Outcome::Queued).then(|| NOW.plus_ms(-(3 * HOUR_MS + 5 * MINUTE_MS)));
    WhyWaiting { item: ItemId(1), outcome, since, position: None, ahead: 0, changes_at: None, lanes: Vec::new() }
}

#[test]
fn r13_1_what_waits_says_since_when_its_place_what_people_lack_and_what_would_change_it() {
    let away = SkipReason::Unavailable { cause: UnavailableCause::Away };
    let lacks = vec![Lack { reason: away, people: 2 }, Lack { reason: SkipReason::AtCapacity, people: 1 }];
    let lane = LaneLack { target: StageTarget::UsersAndTeams, people: 3, eligible: 0, lacks };
    let changes_at = Some(NOW.plus_ms(40 * SECOND_MS));
    let why = WhyWaiting { position: Some(3), ahead: 2, changes_at, lanes: vec![lane], ..waits(Outcome::Queued) };
    let shift = Change::BecomesAvailable { cause: UnavailableCause::OutsideHours };
    let remedies = [
        Remedy { user: LIV, at: None, changes: vec![Change::Closes { items: 2, work: Some(WorkType::Mail) }] },
        Remedy { user: BO, at: Some(NOW.plus_ms(2 * DAY_MS)), changes: vec![shift, Change::Ages] },
    ];
    let lines = [
        "waiting.since time=time.hours hours=3 minutes=05",
        "waiting.ahead n=2",
        "waiting.changes_at time=time.in time=time.seconds seconds=40",
        "waiting.lane stage=stage.users_and_teams n=3 eligible=0",
        "- waiting.lack reason=reason.unavailable.away people=2",
        "- waiting.lack reason=reason.at_capacity people=1",
        "waiting.remedies",
        "- remedy.by_hand user=Liv changes=change.closes_of n=2 work=work_type.mail",
        "- remedy.at user=Bo time=time.in time=time.days n=2 changes=change.becomes_available.outside_hours, change.ages",
    ];
    assert_eq!(said(|wording| wording.waiting(Some(&why), &remedies, NOW)), lines.join("\n"));
    let first = WhyWaiting { position: Some(1), ..waits(Outcome::Queued) };
    assert!(said(|wording| wording.waiting(Some(&first), &[], NOW)).ends_with("waiting.next n=0\nwaiting.no_remedies"));
}

#[test]
fn r13_1_what_does_not_wait_says_why_nobody_owns_it_or_who_would() {
    for (why, words) in [
        (None, "waiting.none"),
        (
            Some(waits(Outcome::Unassigned { reason: UnassignedReason::NoRule })),
            "outcome.unassigned reason=unassigned.no_rule\nwaiting.no_remedies",
        ),
        (Some(waits(Outcome::Assigned { user: LIV, team: None })), "waiting.would_go user=Liv"),
        (Some(waits(Outcome::Kept { user: UserId(9) })), "waiting.would_go user=#9"),
    ] {
        assert_eq!(said(|wording| wording.waiting(why.as_ref(), &[], NOW)), words);
    }
    let again = Remedy { user: LIV, at: None, changes: Vec::new() };
    assert_eq!(said(|wording| wording.remedy(&again, NOW)), "remedy.again user=Liv");
}

#[test]
fn r13_1_every_change_has_a_key_of_its_own() {
    let cause = UnavailableCause::OutOfOffice;
    let admin = |reason| Change::Admin { reason };
    for (change, words) in [
        (Change::SetsAvailable { cause }, "change.sets_available.out_of_office"),
        (Change::Closes { items: 1, work: None }, "change.closes n=1"),
        (Change::Learns { skill: "nb".to_owned(), level: None }, "change.learns skill=nb"),
        (Change::Learns { skill: "Lamps".to_owned(), level: Some(3) }, "change.learns_level skill=Lamps level=3"),
        (Change::Relaxes, "change.relaxes"),
        (Change::Widens { step: 0 }, "change.widens step=1"),
        (Change::ChannelOpens, "change.channel_opens"),
        (Change::RuleOn, "change.rule_on"),
        (admin(SkipReason::Inactive), "change.admin.inactive"),
        (admin(SkipReason::NoSeat), "change.admin.no_seat"),
        (admin(SkipReason::NoAccess), "change.admin.no_access"),
        (admin(SkipReason::NotMainMember), "change.admin.not_main_member"),
        (admin(SkipReason::OnCall), "change.admin.lifts reason=reason.on_call"),
    ] {
        assert_eq!(said(|wording| wording.change(&change)), words);
    }
}

#[test]
fn r13_1_why_somebody_does_not_have_it() {
    let eligible = candidate(LIV, 4, Verdict::Eligible);
    let chosen = candidate(BO, 1, Verdict::Chosen);
    let because = Preference::Load;
    let full = CapacityUse {
        open: 5,
        limit: Some(5),
        work: WorkType::Chat,
        open_of_type: 2,
        limit_of_type: Some(3),
        weight: 80,
        item_weight: 25,
        weight_limit: Some(100),
        found_full: true,
    };
    let skipped = |reason, until, capacity, lacking: &[&str]| WhyNot::Skipped {
        candidate: candidate(LIV, 4, Verdict::Skipped { reason }),
        until,
        capacity,
        lacking: lacking.iter().map(|skill| (*skill).to_owned()).collect(),
    };
    let away = SkipReason::Unavailable { cause: UnavailableCause::Away };
    let lacks = SkipReason::LacksSkill { skill: "nb".to_owned() };
    for (answer, words) in [
        (None, "why_not.no_rule"),
        (Some(WhyNot::Chosen), "why_not.chosen user=Liv"),
        (
            Some(WhyNot::Preferred { candidate: eligible.clone(), chosen: Some(chosen), because }),
            "why_not.preferred user=Liv chosen=Bo reason=preference.load\n\
             why_not.loads user=Liv load=4 chosen=Bo chosen_load=1",
        ),
        (
            Some(WhyNot::Preferred { candidate: eligible, chosen: None, because: Preference::TeamOnly }),
            "why_not.team_only user=Liv",
        ),
        (
            Some(skipped(away, Some(NOW.plus_ms(5 * MINUTE_MS)), None, &[])),
            "explain.skipped user=Liv reason=reason.unavailable.away\n\
             why_not.until time=time.in time=time.minutes minutes=5",
        ),
        (
            Some(skipped(SkipReason::AtCapacity, None, Some(full), &[])),
            "explain.skipped user=Liv reason=reason.at_capacity\ncapacity.open open=5 limit=5\n\
             capacity.of_type work=work_type.chat open=2 limit=3\ncapacity.weight weight=80 item=25 limit=100\n\
             capacity.found_full",
        ),
        (
            Some(skipped(lacks, None, None, &["nb", "Lamps"])),
            "explain.skipped user=Liv reason=reason.lacks_skill skill=nb\nwhy_not.lacking skills=nb, Lamps",
        ),
        (Some(WhyNot::NotAsked { listed: true, joins_at: None }), "why_not.listed user=Liv"),
        (Some(WhyNot::NotAsked { listed: false, joins_at: None }), "why_not.not_listed user=Liv"),
        (
            Some(WhyNot::NotAsked { listed: false, joins_at: Some(NOW.plus_ms(HOUR_MS)) }),
            "why_not.joins user=Liv time=time.in time=time.hours hours=1 minutes=00",
        ),
    ] {
        assert_eq!(said(|wording| wording.why_not(LIV, answer.as_ref(), NOW)), words);
    }
}
