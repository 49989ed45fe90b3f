//! A report as text, as JSON, and as one page.

mod chart;
mod html;
mod text;

use crate::report::{Report, Variant};
use crate::statistics::Estimate;

impl Report {
    /// As a table for a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        text::table(self)
    }

    /// As JSON, with the fields of [`Report`].
    ///
    /// # Errors
    /// Never for a report that [`compare`](crate::compare) made.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// As one page of HTML that stands by itself: nothing is fetched, no script runs, and every name is escaped.
    #[must_use]
    pub fn to_html(&self) -> String {
        html::page(self)
    }
}

/// A time in seconds as people read it: `4.2 s`, `3 min 05 s`, `2 h 10 min`, `3.5 d`.
fn duration(seconds: f64) -> String {
    let (sign, size) = (if seconds < 0.0 { "−" } else { "" }, seconds.abs());
    let whole = size.round() as i64;
    let text = match whole {
        _ if size < 9.95 => format!("{size:.1} s"),
        0..100 => format!("{whole} s"),
        100..3_600 => format!("{} min {:02} s", whole / 60, whole % 60),
        3_600..172_800 => format!("{} h {:02} min", whole / 3_600, whole % 3_600 / 60),
        _ => format!("{:.1} d", size / 86_400.0),
    };
    if text == "0.0 s" { "0 s".to_owned() } else { format!("{sign}{text}") }
}

/// A difference of times, with its sign.
fn change(seconds: f64) -> String {
    let text = duration(seconds);
    if seconds > 0.0 && text != "0 s" { format!("+{text}") } else { text }
}

/// A share as a percentage.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A difference of shares in percentage points, with its sign.
fn points(share: f64) -> String {
    let text = format!("{:+.1} pp", share * 100.0);
    if text.ends_with("0.0 pp") && text.len() == 7 { "0 pp".to_owned() } else { text.replace('-', "−") }
}

/// An estimate with its interval.
fn interval(estimate: &Estimate, print: impl Fn(f64) -> String) -> String {
    let text = print(estimate.mean);
    let (low, high) = (print(estimate.low), print(estimate.high));
    if low == high { text } else { format!("{text} ({low} to {high})") }
}

/// What dividing people up costs.
fn pooling(variant: &Variant) -> String {
    let why = variant.not_exact.as_ref();
    let simulated = why.map_or_else(String::new, |why| format!(" by simulation, as {why}"));
    match (&variant.pooling_gap, variant.floor_s) {
        (Some(gap), Some(floor_s)) => {
            format!("{} times the {} of one pool{simulated}", interval(gap, |gap| format!("{gap:.2}")), duration(floor_s))
        }
        (_, Some(floor_s)) => format!("one pool would wait {}{simulated}", duration(floor_s)),
        (_, None) => why.cloned().unwrap_or_default(),
    }
}

/// Text without control characters, which would move about in a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// An instant as a date and time in UTC.
fn instant(ms: i64) -> String {
    let instant = jiff::Timestamp::from_millisecond(ms).ok();
    instant.map_or_else(|| format!("{ms} ms"), |instant| instant.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::{change, duration, plain, points};

    #[test]
    fn times_read_as_people_write_them() {
        let times = [0.0, 0.04, 4.25, 9.96, 59.6, 100.0, 185.0, 3_599.7, 7_800.0, 300_000.0, -4.2];
        let texts: Vec<String> = times.into_iter().map(duration).collect();
        assert_eq!(
            texts,
            ["0 s", "0 s", "4.2 s", "10 s", "60 s", "1 min 40 s", "3 min 05 s", "1 h 00 min", "2 h 10 min", "3.5 d", "−4.2 s"]
        );
        assert_eq!([change(0.01), change(12.0), change(-12.0)], ["0 s", "+12 s", "−12 s"]);
        let shares = [-0.000_1, 0.0, 0.1, -0.034].map(points);
        assert_eq!(shares, ["0 pp", "0 pp", "+10.0 pp", "−3.4 pp"]);
    }

    #[test]
    fn control_characters_do_not_reach_a_terminal() {
        assert_eq!(plain("a\u{1b}[31mb\nc"), "a [31mb c");
    }
}
