//! Writes `format=flowed` (RFC 3676), which `crate::flowed` undoes: lines of a readable width that programs may join again.

/// The widest line, in characters, its marking space included.
const WIDTH: usize = 76;
/// Deeper quotes are written as this deep.
const MAX_DEPTH: usize = 20;
/// What a signature begins with; never joined with anything.
const SIGNATURE: &str = "-- ";

/// The text in lines of at most 76 characters, as far as its words allow. Line ends of any kind become one, and what no
/// line can hold (control characters) goes.
pub(super) fn flowed(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut written = String::with_capacity(text.len() + text.len() / 40 + 2);
    for line in text.trim_end_matches('\n').split('\n') {
        let line: String = line.chars().filter(|letter| *letter == '\t' || !letter.is_control()).collect();
        write_line(&mut written, &line);
    }
    written
}

fn write_line(written: &mut String, line: &str) {
    if line == SIGNATURE {
        written.push_str("-- \n");
        return;
    }
    let content = line.trim_start_matches('>');
    let depth = (line.len() - content.len()).min(MAX_DEPTH);
    let prefix = if depth == 0 { String::new() } else { format!("{} ", ">".repeat(depth)) };
    let content = if depth == 0 { content } else { content.strip_prefix(' ').unwrap_or(content) };
    // A space at the end would join the line with the next one.
    let mut rest = content.trim_end_matches(' ');
    loop {
        let (piece, after) = cut(rest, WIDTH - prefix.len());
        written.push_str(&prefix);
        if prefix.is_empty() && (piece.starts_with([' ', '>']) || piece.starts_with("From ")) {
            written.push(' ');
        }
        written.push_str(piece);
        written.push('\n');
        if after.is_empty() {
            return;
        }
        rest = after;
    }
}

/// The longest beginning that ends in a space and fits, and the rest; all of it where there is no such place.
fn cut(text: &str, width: usize) -> (&str, &str) {
    let Some((limit, _)) = text.char_indices().nth(width) else { return (text, "") };
    let place = text[..limit].rfind(' ').or_else(|| text[limit..].find(' ').map(|at| limit + at));
    match place.filter(|place| !text[..*place].trim_matches(' ').is_empty()) {
        Some(place) if !text[place + 1..].trim_matches(' ').is_empty() => text.split_at(place + 1),
        _ => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::flowed;
    use crate::flowed::unflow;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    #[test]
    fn long_lines_are_broken_softly_and_short_ones_stay() {
        let long = "Hei Kari, pakken din ble sendt fra lageret i dag tidlig og kommer fram i løpet av to til tre dager.";
        let written = flowed(&format!("{long}\n\n-- \nPia"));
        assert!(written.lines().all(|line| line.chars().count() <= 76), "{written}");
        assert!(written.contains("\n-- \nPia\n"), "{written}");
        assert_eq!(unflow(&written, false), format!("{long}\n\n-- \nPia"));
    }

    #[test]
    fn what_looks_like_a_mark_is_stuffed_and_quotes_stay_quotes() {
        assert_eq!(flowed("From here\n two spaces\n> quoted\n>> deeper"), " From here\n  two spaces\n> quoted\n>> deeper\n");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(text in "([a-zæ>. ]{0,160}\n){0,5}[a-z]{1,9}") {
            let written = flowed(&text);
            let lines = |text: &str| text.lines().map(|line| {
                let quoted = line.len() - line.trim_start_matches('>').len();
                let content = line[quoted..].strip_prefix(' ').filter(|_| quoted > 0).unwrap_or(&line[quoted..]);
                let depth = quoted.min(super::MAX_DEPTH);
                let content = content.trim_end_matches(' ');
                format!("{}{}{content}", ">".repeat(depth), if depth > 0 { " " } else { "" })
            }).collect::<Vec<_>>().join("\n");
            prop_assert_eq!(lines(&unflow(&written, false)), lines(&text));
            let widest = text.split([' ', '\n']).map(|word| word.chars().count()).max().unwrap_or(0);
            prop_assert!(written.lines().all(|line| line.chars().count() <= 78.max(widest + 24)), "{}", written);
        }
    }
}
