//! The style sheet's colours, measured (WCAG 1.4.3, 1.4.11).

use super::STYLE;
use std::collections::BTreeMap;

/// Relative luminance of `#rrggbb`.
fn luminance(colour: &str) -> f64 {
    let channel = |place: usize| {
        let value = u8::from_str_radix(&colour[place..place + 2], 16).expect("two hex digits");
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The colours of the light and of the dark theme by name.
fn themes() -> [BTreeMap<&'static str, &'static str>; 2] {
    let (light, dark) = STYLE.split_once("prefers-color-scheme: dark").expect("the style sheet has a dark theme");
    [light, dark].map(|part| {
        let lines = part.lines().filter_map(|line| line.trim().strip_prefix("--")?.strip_suffix(';')?.split_once(": "));
        lines.collect()
    })
}

#[test]
fn every_colour_stands_out_from_its_ground_in_both_themes() {
    for theme in themes() {
        for (text, ground, least) in [
            ("text", "ground", 4.5),
            ("quiet", "ground", 4.5),
            ("accent", "ground", 4.5),
            ("error", "ground", 4.5),
            ("on-accent", "accent", 4.5),
            ("line", "ground", 3.0),
        ] {
            let found = contrast(theme[text], theme[ground]);
            assert!(found >= least, "{text} {} on {ground} {} has {found:.2}", theme[text], theme[ground]);
        }
    }
}
