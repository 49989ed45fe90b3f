//! The report as one page that stands by itself.

use crate::render::chart::{Bars, bars, waits};
use crate::render::{change, duration, instant, interval, percent, points};
use crate::report::{Difference, Person, Report, Variant, Waits};
use crate::statistics::Estimate;
use std::collections::{BTreeMap, BTreeSet};
use switchboard_model::{UnassignedReason, UserId};

/// The most people whose bars are drawn; the table has everybody.
const MAX_BARS: usize = 60;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5c6779; --paper: #ffffff; --line: #d9dee7; --today: #8a6d1f;
  --draft: #1f6feb; --good: #1a7f4b; --bad: #b3372f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf1; --soft: #9aa6b8; --paper: #12161d; --line: #2c3442;
  --today: #d9b44a; --draft: #6aa5ff; --good: #56c08a; --bad: #f0857c; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
p, li { color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; white-space: nowrap; } td small { color: var(--soft); white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); } .chance { color: var(--soft); }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: var(--soft); }
.end { text-anchor: end; } .mid { text-anchor: middle; }
.grid { stroke: var(--line); stroke-width: 1; }
.line { fill: none; stroke-width: 2; } .line.today { stroke: var(--today); stroke-dasharray: 6 3; }
.line.draft { stroke: var(--draft); } .bar.today { fill: var(--today); } .bar.draft { fill: var(--draft); }
.key::before { content: ''; display: inline-block; width: 1.1rem; height: .55rem; margin-right: .4rem; }
.key { margin-right: 1.4rem; } .key.today::before { background: var(--today); } .key.draft::before { background: var(--draft); }
";

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    let mut body = Vec::new();
    let traffic = &report.traffic;
    let kind = if traffic.recorded { "Recorded" } else { "Generated" };
    body.push(format!(
        "<h1>Routing: today and the draft</h1>\n<p>{kind} traffic from {} to {}: {:.0} arrivals, {} seeds. Figures are means over \
         seeds; in brackets, where they would lie in 95 of 100 such comparisons. A difference in grey may be chance.</p>\n\
         <p><span class=\"key today\">today</span><span class=\"key draft\">draft</span></p>",
        instant(traffic.from_ms),
        instant(traffic.to_ms),
        traffic.arrivals.mean,
        report.seeds
    ));
    let (today, draft) = (&report.today, &report.draft);
    body.push(section("All channels", (&today.all, &draft.all), None, &report.difference));
    for (slug, difference) in &report.differences {
        if let (Some(today), Some(draft)) = (today.channels.get(slug), draft.channels.get(slug)) {
            let title = format!("{} ({slug})", today.name);
            body.push(section(&title, (&today.waits, &draft.waits), Some(today.target_s), difference));
        }
    }
    body.push(pooling(today, draft));
    body.push(demands(report));
    body.push(people(today, draft));
    if !report.notes.is_empty() {
        let notes: String = report.notes.iter().map(|note| format!("<li>{}</li>\n", escape(note))).collect();
        body.push(format!("<h2>Notes</h2>\n<ul>\n{notes}</ul>"));
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src \
         'none'; style-src 'unsafe-inline'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>Routing: today and the \
         draft</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{}\n</body>\n</html>\n",
        body.join("\n")
    )
}

/// Text as HTML.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

type Figure = fn(&Waits) -> &Estimate;

fn section(title: &str, (today, draft): (&Waits, &Waits), target_s: Option<f64>, difference: &Difference) -> String {
    let within = target_s.map_or_else(|| "Within target".to_owned(), |target_s| format!("Within {}", duration(target_s)));
    let times: [(&str, Figure, &Estimate); 4] = [
        ("Mean wait", |waits| &waits.mean_s, &difference.mean_s),
        ("Half wait at most", |waits| &waits.p50_s, &difference.p50_s),
        ("90 % wait at most", |waits| &waits.p90_s, &difference.p90_s),
        ("99 % wait at most", |waits| &waits.p99_s, &difference.p99_s),
    ];
    let mut rows = String::new();
    for (name, of, difference) in times {
        rows += &row(name, &cell(of(today), duration), &cell(of(draft), duration), &judged(difference, change, true));
    }
    let better: [(&str, Figure, &Estimate, bool); 2] = [
        (&within, |waits| &waits.within, &difference.within, false),
        ("Abandoned", |waits| &waits.abandoned, &difference.abandoned, true),
    ];
    for (name, of, difference, less_is_better) in better {
        let judged = judged(difference, points, less_is_better);
        rows += &row(name, &cell(of(today), percent), &cell(of(draft), percent), &judged);
    }
    let rest: [(&str, Figure); 2] =
        [("Still waiting at the end", |waits| &waits.still_waiting), ("To a team, no owner", |waits| &waits.to_team)];
    for (name, of) in rest.into_iter().filter(|(_, of)| of(today).high > 0.0 || of(draft).high > 0.0) {
        rows += &row(name, &cell(of(today), percent), &cell(of(draft), percent), "");
    }
    let reasons: BTreeSet<&UnassignedReason> = today.unassigned.keys().chain(draft.unassigned.keys()).collect();
    for reason in reasons {
        let of = |waits: &Waits| waits.unassigned.get(reason).map_or_else(|| percent(0.0), |share| cell(share, percent));
        rows += &row(&format!("Unassigned, {reason}"), &of(today), &of(draft), "");
    }
    let plot = waits(&format!("Waits, {title}"), &[("today", &today.curve), ("draft", &draft.curve)]);
    format!(
        "<h2>{}</h2>\n<p>{:.0} arrivals. The plot shows which share waits no longer than a time.</p>\n{plot}<div \
         class=\"scroll\"><table>\n<tr><th></th><th>Today</th><th>Draft</th><th>Draft − today</th></tr>\n{rows}</table></div>",
        escape(title),
        today.arrivals.mean
    )
}

/// A row of cells that are HTML already, but for the name.
fn row(name: &str, today: &str, draft: &str, difference: &str) -> String {
    format!("<tr><th>{}</th><td>{today}</td><td>{draft}</td><td>{difference}</td></tr>\n", escape(name))
}

fn cell(estimate: &Estimate, print: impl Fn(f64) -> String) -> String {
    let text = interval(estimate, print);
    match text.split_once(" (") {
        Some((mean, rest)) => format!("{} <small>({}</small>", escape(mean), escape(rest)),
        None => escape(&text),
    }
}

/// A difference in the colour of what it means.
fn judged(difference: &Estimate, print: fn(f64) -> String, less_is_better: bool) -> String {
    let class = match (difference.is_clear(), (difference.mean < 0.0) == less_is_better) {
        (false, _) => "chance",
        (true, true) => "good",
        (true, false) => "bad",
    };
    format!("<span class=\"{class}\">{}</span>", cell(difference, print))
}

fn pooling(today: &Variant, draft: &Variant) -> String {
    let line = |name: &str, variant: &Variant| {
        format!("<tr><th>{name}</th><td>{}</td></tr>\n", escape(&crate::render::pooling(variant)))
    };
    format!(
        "<h2>Pooling</h2>\n<p>The mean wait against that of one pool of everybody who took part: what dividing people up \
         costs.</p>\n<div class=\"scroll\"><table>\n{}{}</table></div>",
        line("Today", today),
        line("Draft", draft)
    )
}

fn demands(report: &Report) -> String {
    if report.demands.is_empty() {
        return String::new();
    }
    let row = |demand: &crate::report::DemandPrice| {
        format!("<tr><th>{}</th><td>{}</td></tr>\n", escape(&demand.name), judged(&demand.price_s, change, true))
    };
    format!(
        "<h2>Skill demands</h2>\n<p>What each demand of the draft adds to the mean wait of all arrivals.</p>\n<div \
         class=\"scroll\"><table>\n{}</table></div>",
        report.demands.iter().map(row).collect::<String>()
    )
}

fn people(today: &Variant, draft: &Variant) -> String {
    let find = |variant: &'_ Variant| -> BTreeMap<UserId, Person> {
        variant.people.iter().map(|person| (person.user, person.clone())).collect()
    };
    let (of_today, of_draft) = (find(today), find(draft));
    let mut order: Vec<&Person> = draft.people.iter().collect();
    order.extend(today.people.iter().filter(|person| !of_draft.contains_key(&person.user)));
    let both = |user: UserId| [("today", of_today.get(&user)), ("draft", of_draft.get(&user))];
    let drawn: Vec<Bars<'_>> = order
        .iter()
        .take(MAX_BARS)
        .map(|person| {
            let bar = |(class, one): (&'static str, Option<&Person>)| {
                let load = one.map_or(0.0, |one| one.load.mean);
                (class, load, format!("{load:.2}"))
            };
            Bars { name: &person.name, bars: both(person.user).into_iter().map(bar).collect() }
        })
        .collect();
    let mut rows = String::new();
    for person in &order {
        for (number, (name, one)) in both(person.user).into_iter().enumerate() {
            let Some(one) = one else { continue };
            let who = if number == 0 || !of_today.contains_key(&person.user) { escape(&person.name) } else { String::new() };
            rows += &format!(
                "<tr><th>{who}</th><td>{name}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.0}</td></tr>\n",
                cell(&one.per_day, |count| format!("{count:.1}")),
                cell(&one.load, |count| format!("{count:.2}")),
                cell(&one.idle, percent),
                one.available_h
            );
        }
    }
    let left_out = order.len().saturating_sub(MAX_BARS);
    let more = if left_out > 0 { format!(" {left_out} more people are in the table only.") } else { String::new() };
    format!(
        "<h2>People</h2>\n<p>Open items while available, on average.{more}</p>\n{}<div class=\"scroll\"><table>\n<tr><th></th>\
         <th></th><th>Items per day</th><th>Open items</th><th>Idle</th><th>Hours available</th></tr>\n{rows}</table></div>",
        bars("Open items per person", &drawn)
    )
}
