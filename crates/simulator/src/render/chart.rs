//! Plots as SVG, coloured by the page's own style.

use crate::render::duration;
use crate::render::html::escape;
use crate::report::CurvePoint;
use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 36.0;
/// Marks on the axis of time, in seconds.
const MARKS_S: [f64; 15] = [
    0.0,
    1.0,
    5.0,
    20.0,
    60.0,
    300.0,
    900.0,
    3_600.0,
    14_400.0,
    43_200.0,
    86_400.0,
    259_200.0,
    604_800.0,
    2_592_000.0,
    31_536_000.0,
];

/// The share of arrivals that waits no longer than a time, for each of some variants: its class and points. The axis of
/// time is logarithmic but for its beginning.
pub(super) fn waits(title: &str, variants: &[(&str, &[CurvePoint])]) -> String {
    let longest_s = variants.iter().flat_map(|(_, curve)| curve.iter().map(|point| point.wait_s)).fold(1.0, f64::max);
    let x = |wait_s: f64| LEFT + (WIDTH - LEFT - RIGHT) * (1.0 + wait_s).ln() / (1.0 + longest_s).ln();
    let y = |share: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share;
    let mut svg = opened(title, HEIGHT);
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let (at, right) = (y(share), WIDTH - RIGHT);
        put(&mut svg, &format!("<line class=\"grid\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\"/>"));
        let label = format!("{:.0} %", share * 100.0);
        put(&mut svg, &format!("<text x=\"{:.1}\" y=\"{:.1}\" class=\"end\">{label}</text>", LEFT - 6.0, at + 4.0));
    }
    let (mut free_from, bottom) = (0.0, HEIGHT - BOTTOM);
    for mark_s in MARKS_S.into_iter().filter(|mark_s| *mark_s <= longest_s) {
        let at = x(mark_s);
        put(&mut svg, &format!("<line class=\"grid\" x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{bottom}\"/>"));
        if at >= free_from {
            put(&mut svg, &format!("<text x=\"{at:.1}\" y=\"{:.1}\" class=\"mid\">{}</text>", bottom + 16.0, duration(mark_s)));
            free_from = at + 74.0;
        }
    }
    for (class, curve) in variants {
        let mut points = String::new();
        for point in *curve {
            append(&mut points, format_args!("{:.1},{:.1} ", x(point.wait_s), y(point.share)));
        }
        append(&mut points, format_args!("{:.1},{:.1}", x(longest_s), y(1.0)));
        put(&mut svg, &format!("<polyline class=\"line {class}\" points=\"{points}\"/>"));
    }
    svg.push_str("</svg>\n");
    svg
}

/// One person's bars.
pub(super) struct Bars<'a> {
    /// Whose.
    pub name: &'a str,
    /// For each variant: its class, the length, and the text beside it.
    pub bars: Vec<(&'a str, f64, String)>,
}

/// Horizontal bars, one group for each person.
pub(super) fn bars(title: &str, people: &[Bars<'_>]) -> String {
    const NAME: f64 = 190.0;
    const TEXT: f64 = 70.0;
    const BAR: f64 = 13.0;
    const GAP: f64 = 9.0;
    let longest = people.iter().flat_map(|one| one.bars.iter().map(|bar| bar.1)).fold(1e-9, f64::max);
    let group = |one: &Bars<'_>| one.bars.len() as f64 * BAR + GAP;
    let mut svg = opened(title, people.iter().map(group).sum::<f64>() + GAP);
    let mut top = GAP;
    for one in people {
        let middle = top + (group(one) - GAP) / 2.0 + 4.0;
        let name: String = shortened(one.name, 26);
        put(&mut svg, &format!("<text x=\"{:.0}\" y=\"{middle:.1}\" class=\"end\">{}</text>", NAME - 8.0, escape(&name)));
        for (number, (class, value, label)) in one.bars.iter().enumerate() {
            let at = top + number as f64 * BAR;
            let length = (WIDTH - NAME - TEXT) * (value / longest).clamp(0.0, 1.0);
            let height = BAR - 2.0;
            let bar =
                format!("<rect class=\"bar {class}\" x=\"{NAME}\" y=\"{at:.1}\" width=\"{length:.1}\" height=\"{height}\"/>");
            put(&mut svg, &bar);
            let x = NAME + length + 6.0;
            put(&mut svg, &format!("<text x=\"{x:.1}\" y=\"{:.1}\">{}</text>", at + 10.0, escape(label)));
        }
        top += group(one);
    }
    svg.push_str("</svg>\n");
    svg
}

fn opened(title: &str, height: f64) -> String {
    let title = escape(title);
    format!("<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n")
}

fn put(svg: &mut String, element: &str) {
    svg.push_str(element);
    svg.push('\n');
}

fn append(text: &mut String, piece: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    text.write_fmt(piece).unwrap_or_default();
}

fn shortened(name: &str, letters: usize) -> String {
    if name.chars().count() <= letters {
        return name.to_owned();
    }
    name.chars().take(letters - 1).chain(['…']).collect()
}
