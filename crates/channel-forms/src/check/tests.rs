//! Values against their fields, one by one and by the thousand.

use super::{date, file_name, media_type, size, value};
use crate::config::{Field, Form};
use proptest::prelude::{any, proptest};
use switchboard_channel_testkit::settings;

fn field(kind: &str, further: &str) -> Field {
    let text = format!("[[fields]]\nname = \"x\"\nkind = \"{kind}\"\n{further}");
    let mut form = Form::read(&settings("contact", &text)).expect("the settings of the test are good");
    form.fields.remove(0)
}

/// Each case: what is sent, and the value or the code of what is wrong (`-` for nothing filled in).
fn check(kind: &str, further: &str, cases: &[(&str, &str)]) {
    let field = field(kind, further);
    for (sent, expected) in cases {
        let found = match value(&field, sent) {
            Ok(Some(value)) => value,
            Ok(None) => "-".to_owned(),
            Err(wrong) => format!("!{}", wrong.code()),
        };
        assert_eq!(found, *expected, "{kind} {sent:?}");
    }
}

#[test]
fn single_lines_lose_line_ends_and_control_characters() {
    check(
        "text",
        "max_length = 8",
        &[
            (" Kari ", "Kari"),
            ("a\r\nb", "a b"),
            ("a\0\u{7}b", "ab"),
            ("æøåæøåæø", "æøåæøåæø"),
            ("æøåæøåæøå", "!too_long"),
            (" \n ", "-"),
        ],
    );
}

#[test]
fn several_lines_keep_their_ends_as_line_feeds() {
    check("textarea", "required = true", &[("a\r\nb\rc\n", "a\nb\nc"), ("\u{0}", "!required"), ("", "!required")]);
}

#[test]
fn email_addresses_have_both_halves_and_a_full_domain() {
    check(
        "email",
        "",
        &[
            ("Kari@Eksempel.test", "Kari@Eksempel.test"),
            ("kari+x@post.eksempel.test", "kari+x@post.eksempel.test"),
            ("kari", "!invalid_email"),
            ("kari@localhost", "!invalid_email"),
            ("kari@[127.0.0.1]", "!invalid_email"),
            ("Kari <kari@eksempel.test>", "!invalid_email"),
            ("a@b.test, c@d.test", "!invalid_email"),
            ("kari@eksempel.test\r\nBcc: x@y.test", "!invalid_email"),
        ],
    );
}

#[test]
fn telephone_numbers_are_digits_with_the_usual_marks() {
    check(
        "phone",
        "",
        &[
            ("+47 22 33 44 55", "+47 22 33 44 55"),
            ("(020) 123-45.67", "(020) 123-45.67"),
            ("47+22334455", "!invalid_phone"),
            ("call me", "!invalid_phone"),
            ("12", "!invalid_phone"),
            ("123456789012345678901", "!invalid_phone"),
        ],
    );
}

#[test]
fn numbers_take_a_comma_and_keep_to_their_bounds() {
    check(
        "number",
        "min = -1.5\nmax = 10",
        &[
            ("2,5", "2.5"),
            ("-1.5", "-1.5"),
            ("10", "10"),
            ("10.01", "!above_max"),
            ("-2", "!below_min"),
            ("1e3", "!invalid_number"),
            ("inf", "!invalid_number"),
            ("NaN", "!invalid_number"),
            ("1,2,3", "!invalid_number"),
            (".", "!invalid_number"),
        ],
    );
}

#[test]
fn dates_exist_and_keep_to_their_bounds() {
    check(
        "date",
        "min = 2026-01-01\nmax = \"2027-12-31\"",
        &[
            ("2027-05-17", "2027-05-17"),
            ("2026-01-01", "2026-01-01"),
            ("2025-12-31", "!too_early"),
            ("2028-01-01", "!too_late"),
            ("2027-02-29", "!invalid_date"),
            ("17.05.2027", "!invalid_date"),
            ("17 May 2027", "!too_long"),
            ("2027-5-17", "!invalid_date"),
        ],
    );
}

#[test]
fn choices_and_ticks_are_what_is_offered() {
    check("select", "options = [\"s\", \"m\"]", &[("m", "m"), ("M", "!invalid_option"), ("", "-")]);
    check("checkbox", "", &[("on", "true"), ("TRUE", "true"), ("1", "true"), ("false", "-"), ("2", "!invalid_checkbox")]);
    check("checkbox", "required = true", &[("true", "true"), ("", "!required"), ("false", "!required")]);
    check("file", "", &[("x.png", "!file_needs_multipart")]);
}

#[test]
fn file_names_lose_their_paths_and_their_tricks() {
    let long = format!("{}.pdf", "ø".repeat(200));
    for (sent, expected) in [
        ("a b.pdf", "a b.pdf"),
        ("C:\\fakepath\\a.pdf", "a.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..", "file"),
        (".htaccess", "htaccess"),
        ("a\u{202e}fdp.exe", "afdp.exe"),
        ("a\r\n\0b", "ab"),
        ("", "file"),
        (long.as_str(), &format!("{}.pdf", "ø".repeat(58))),
    ] {
        assert_eq!(file_name(sent), expected, "{sent:?}");
    }
}

#[test]
fn media_types_are_bare_or_unknown() {
    for (sent, expected) in [
        ("Image/PNG", "image/png"),
        ("text/plain; charset=utf-8", "text/plain"),
        ("image/svg+xml", "image/svg+xml"),
        ("png", "application/octet-stream"),
        ("a/b\r\nx: y", "application/octet-stream"),
        ("", "application/octet-stream"),
    ] {
        assert_eq!(media_type(sent), expected, "{sent:?}");
    }
}

#[test]
fn sizes_are_never_overstated() {
    for (bytes, expected) in [(900, "900 B"), (50_000, "48.8 KiB"), (1_048_576, "1 MiB"), (10_485_760, "10 MiB")] {
        assert_eq!(size(bytes), expected);
    }
}

proptest! {
    #[test]
    fn no_value_panics_and_good_values_stay_good(text in "\\PC{0,60}|[0-9+,.eE-]{0,12}|[0-9-]{8,11}", place in 0_usize..8) {
        let kinds = ["text", "textarea", "email", "phone", "number", "checkbox", "date", "file"];
        let field = field(kinds[place], "");
        if let Ok(Some(first)) = value(&field, &text) {
            assert_eq!(value(&field, &first), Ok(Some(first)));
        }
    }

    #[test]
    fn no_name_or_type_panics_or_is_unsafe(text in any::<String>()) {
        let name = file_name(&text);
        assert!(!name.is_empty() && name.len() <= 120 && !name.contains(['/', '\\', '\0']), "{name:?}");
        assert!(media_type(&text).contains('/'));
        date(&text);
    }
}
