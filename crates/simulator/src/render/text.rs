//! The report as tables for a terminal.

use crate::render::{change, duration, instant, interval, percent, plain, points};
use crate::report::{Difference, Report, Variant, Waits};
use crate::statistics::Estimate;
use std::collections::BTreeSet;
use switchboard_model::UnassignedReason;

/// The whole report.
pub(super) fn table(report: &Report) -> String {
    let traffic = &report.traffic;
    let mut lines = vec![
        format!(
            "{} traffic, {} to {}: {:.0} arrivals, {} seeds",
            if traffic.recorded { "Recorded" } else { "Generated" },
            instant(traffic.from_ms),
            instant(traffic.to_ms),
            traffic.arrivals.mean,
            report.seeds
        ),
        "Figures are means over seeds; in brackets, where they would lie in 95 of 100 such comparisons. ~ may be chance."
            .to_owned(),
    ];
    let both = (&report.today, &report.draft);
    section(&mut lines, "All channels", (&both.0.all, &both.1.all), None, &report.difference);
    for (slug, difference) in &report.differences {
        if let (Some(today), Some(draft)) = (both.0.channels.get(slug), both.1.channels.get(slug)) {
            let title = format!("{} ({slug})", today.name);
            section(&mut lines, &title, (&today.waits, &draft.waits), Some(today.target_s), difference);
        }
    }
    for (name, one, other) in [("today", both.0, both.1), ("the draft", both.1, both.0)] {
        for slug in one.channels.keys().filter(|slug| !other.channels.contains_key(*slug)) {
            lines.push(String::new());
            lines.push(format!("The channel `{slug}` is known to {name} only."));
        }
    }
    pooling(&mut lines, both);
    demands(&mut lines, report);
    people(&mut lines, both);
    if !report.notes.is_empty() {
        lines.push(String::new());
        lines.push("Notes".to_owned());
        lines.extend(report.notes.iter().map(|note| format!("  - {note}")));
    }
    lines.iter().map(|line| plain(line) + "\n").collect()
}

type Figure = fn(&Waits) -> &Estimate;

fn section(lines: &mut Vec<String>, title: &str, both: (&Waits, &Waits), target_s: Option<f64>, difference: &Difference) {
    let mut rows = vec![["".to_owned(), "today".to_owned(), "draft".to_owned(), "draft − today".to_owned()]];
    let within = target_s.map_or_else(|| "within target".to_owned(), |target_s| format!("within {}", duration(target_s)));
    let times: [(&str, Figure, &Estimate); 4] = [
        ("mean wait", |waits| &waits.mean_s, &difference.mean_s),
        ("half wait at most", |waits| &waits.p50_s, &difference.p50_s),
        ("90 % wait at most", |waits| &waits.p90_s, &difference.p90_s),
        ("99 % wait at most", |waits| &waits.p99_s, &difference.p99_s),
    ];
    for (name, of, difference) in times {
        let [today, draft] = [both.0, both.1].map(|waits| interval(of(waits), duration));
        rows.push([name.to_owned(), today, draft, verdict(difference, change)]);
    }
    let shares: [(&str, Figure, Option<&Estimate>); 4] = [
        (&within, |waits| &waits.within, Some(&difference.within)),
        ("abandoned", |waits| &waits.abandoned, Some(&difference.abandoned)),
        ("still waiting at the end", |waits| &waits.still_waiting, None),
        ("to a team, no owner", |waits| &waits.to_team, None),
    ];
    for (name, of, difference) in shares {
        let [today, draft] = [both.0, both.1].map(of);
        if name == within || today.high > 0.0 || draft.high > 0.0 {
            let difference = difference.map_or_else(String::new, |difference| verdict(difference, points));
            rows.push([name.to_owned(), interval(today, percent), interval(draft, percent), difference]);
        }
    }
    let reasons: BTreeSet<&UnassignedReason> = both.0.unassigned.keys().chain(both.1.unassigned.keys()).collect();
    for reason in reasons {
        let of = |waits: &Waits| waits.unassigned.get(reason).map_or_else(|| percent(0.0), |share| interval(share, percent));
        rows.push([format!("unassigned, {reason}"), of(both.0), of(both.1), String::new()]);
    }
    lines.push(String::new());
    lines.push(format!("{title}: {:.0} arrivals", both.0.arrivals.mean));
    lines.extend(aligned(&rows));
}

/// A difference, said to be chance where its interval holds zero.
fn verdict(difference: &Estimate, print: fn(f64) -> String) -> String {
    let text = interval(difference, print);
    let nothing = difference.low == 0.0 && difference.high == 0.0;
    if difference.is_clear() || nothing { text } else { format!("{text} ~") }
}

fn pooling(lines: &mut Vec<String>, both: (&Variant, &Variant)) {
    lines.push(String::new());
    lines.push("Pooling: the mean wait against that of one pool of everybody who took part".to_owned());
    for (name, variant) in [("today", both.0), ("draft", both.1)] {
        lines.push(format!("  {name}: {}", crate::render::pooling(variant)));
    }
}

fn demands(lines: &mut Vec<String>, report: &Report) {
    if report.demands.is_empty() {
        return;
    }
    lines.push(String::new());
    lines.push("What the draft's skill demands cost in mean wait".to_owned());
    let row = |demand: &crate::report::DemandPrice| [demand.name.clone(), verdict(&demand.price_s, change)];
    lines.extend(aligned(&report.demands.iter().map(row).collect::<Vec<_>>()));
}

fn people(lines: &mut Vec<String>, both: (&Variant, &Variant)) {
    for (name, variant) in [("today", both.0), ("draft", both.1)] {
        lines.push(String::new());
        lines.push(format!("People, {name}"));
        let heading = ["", "items per day", "open items", "idle", "hours available"].map(str::to_owned);
        let mut rows = vec![heading];
        rows.extend(variant.people.iter().map(|person| {
            [
                person.name.clone(),
                interval(&person.per_day, |count| format!("{count:.1}")),
                interval(&person.load, |count| format!("{count:.2}")),
                interval(&person.idle, percent),
                format!("{:.0}", person.available_h),
            ]
        }));
        lines.extend(aligned(&rows));
    }
}

/// Rows with their columns as wide as the widest cell.
fn aligned<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..N).map(width).collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned()
        })
        .collect()
}
