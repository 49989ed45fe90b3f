//! Checks on Rust and TypeScript files: sizes, opening lines, and what must not be left in them.

use super::Finding;
use super::lexer::{Kind, Token, lex};
use std::ops::RangeInclusive;
use std::path::Path;

/// The most lines of a function, from `fn` to its closing brace.
const MOST_FUNCTION_LINES: usize = 70;
/// The most lines of a file, tests excluded.
const MOST_FILE_LINES: usize = 500;
/// Words that mark unfinished work.
const MARKS: [&str; 4] = ["FIXME", "XXX", "TODO", "HACK"];

/// Everything wrong with one Rust file. `path` is relative to the workspace.
pub fn check_rust(path: &Path, source: &str) -> Vec<Finding> {
    let all = lex(source);
    let tokens: Vec<Token> = all.iter().copied().filter(|token| token.kind != Kind::Comment).collect();
    let lines = source.lines().count();
    let tests = if is_test_file(path) { vec![1..=lines.max(1)] } else { test_regions(&tokens) };
    let mut findings = Vec::new();
    if !source.starts_with("//!") {
        findings.push(Finding::new(path, 1, "does not open with `//!` saying what the file is for"));
    }
    let counted = (1..=lines).filter(|line| !is_within(&tests, *line)).count();
    if counted > MOST_FILE_LINES {
        findings.push(Finding::new(path, 1, format!("{counted} lines without tests; {MOST_FILE_LINES} is the most")));
    }
    for function in functions(&tokens).into_iter().filter(|function| !is_within(&tests, function.line)) {
        if function.lines > MOST_FUNCTION_LINES {
            let message = format!("function `{}` has {} lines; {MOST_FUNCTION_LINES} is the most", function.name, function.lines);
            findings.push(Finding::new(path, function.line, message));
        }
    }
    for comment in all.iter().filter(|token| token.kind == Kind::Comment) {
        findings.extend(marks(path, comment.text, comment.line));
    }
    findings.extend(leftovers(path, &tokens));
    findings.extend(globs(path, &tokens, &tests));
    findings.extend(sleeps(path, &tokens, &tests));
    findings
}

/// Everything wrong with one TypeScript or Svelte file.
pub fn check_script(path: &Path, source: &str) -> Vec<Finding> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_test = name.contains(".test.") || path.components().any(|part| part.as_os_str() == "tests");
    let mut findings = Vec::new();
    let lines = source.lines().count();
    let is_generated = name.ends_with(".d.ts") || name.ends_with(".gen.ts");
    if lines > MOST_FILE_LINES && !is_test && !is_generated {
        findings.push(Finding::new(path, 1, format!("{lines} lines; {MOST_FILE_LINES} is the most")));
    }
    for (line, text) in (1..).zip(source.lines()) {
        findings.extend(marks(path, text, line));
        for left in ["it.skip(", "it.only(", "test.skip(", "test.only(", "describe.skip(", "describe.only("] {
            if is_test && text.contains(left) {
                findings.push(Finding::new(path, line, format!("`{left}` leaves tests out")));
            }
        }
    }
    findings
}

/// The names of functions with the lines they begin on.
pub fn function_names(source: &str) -> Vec<(String, usize)> {
    let tokens: Vec<Token> = lex(source).into_iter().filter(|token| token.kind != Kind::Comment).collect();
    functions(&tokens).into_iter().map(|function| (function.name.to_owned(), function.line)).collect()
}

/// What a file declares `pub` at its top level, outside tests: the lines and the words that follow.
pub fn public_items(source: &str) -> Vec<(usize, String)> {
    let tokens: Vec<Token> = lex(source).into_iter().filter(|token| token.kind != Kind::Comment).collect();
    let tests = test_regions(&tokens);
    let mut items = Vec::new();
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "{" | "(" | "[" if token.kind == Kind::Sign => depth += 1,
            "}" | ")" | "]" if token.kind == Kind::Sign => depth = depth.saturating_sub(1),
            "pub" if depth == 0 && !is_within(&tests, token.line) && tokens.get(at + 1).is_some_and(|next| next.text != "(") => {
                let words = tokens[at + 1..].iter().take_while(|token| !matches!(token.text, ";" | "{" | "="));
                items.push((token.line, words.map(|token| token.text).collect::<Vec<_>>().join(" ")));
            }
            _ => {}
        }
    }
    items
}

struct Function<'a> {
    name: &'a str,
    line: usize,
    lines: usize,
}

/// Whether a file is a test; programs below `tests/src/bin` are not.
fn is_test_file(path: &Path) -> bool {
    let has = |name: &str| path.components().any(|part| part.as_os_str() == name);
    path.file_name().is_some_and(|name| name == "tests.rs") || (has("tests") && !has("bin"))
}

fn is_within(regions: &[RangeInclusive<usize>], line: usize) -> bool {
    regions.iter().any(|region| region.contains(&line))
}

/// The lines of items under `#[cfg(test)]`.
fn test_regions(tokens: &[Token]) -> Vec<RangeInclusive<usize>> {
    let mut regions = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let Some(end) = attribute_end(tokens, at) else {
            at += 1;
            continue;
        };
        if is_test_condition(&tokens[at..=end]) {
            let last = item_end(tokens, end + 1);
            regions.push(tokens[at].line..=tokens[last].line);
            at = last + 1;
        } else {
            at = end + 1;
        }
    }
    regions
}

/// The place of the `]` of the attribute that begins at a place.
fn attribute_end(tokens: &[Token], at: usize) -> Option<usize> {
    let is_attribute = tokens.get(at)?.text == "#" && tokens.get(at + 1)?.text == "[";
    is_attribute.then(|| group_end(tokens, at + 1))
}

fn is_test_condition(attribute: &[Token]) -> bool {
    let words: Vec<&str> = attribute.iter().filter(|token| token.kind == Kind::Word).map(|token| token.text).collect();
    matches!(words.as_slice(), ["cfg", "test"]) || matches!(words.as_slice(), ["cfg", "all", rest @ ..] if rest.contains(&"test"))
}

/// The place where the item ends that begins at a place: its closing brace or semicolon.
fn item_end(tokens: &[Token], mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens[at].text {
            "{" => return group_end(tokens, at),
            ";" => return at,
            "(" | "[" => at = group_end(tokens, at) + 1,
            _ => at += 1,
        }
    }
    tokens.len() - 1
}

/// The place of the bracket that closes the one at a place, or the last token.
fn group_end(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open).filter(|(_, token)| token.kind == Kind::Sign) {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    tokens.len() - 1
}

fn functions<'a>(tokens: &[Token<'a>]) -> Vec<Function<'a>> {
    let mut found = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        if pair[0].text != "fn" || pair[0].kind != Kind::Word || pair[1].kind != Kind::Word {
            continue;
        }
        let end = item_end(tokens, at + 2);
        let lines = tokens[end].line + 1 - pair[0].line;
        found.push(Function { name: pair[1].text, line: pair[0].line, lines });
    }
    found
}

fn marks(path: &Path, text: &str, first_line: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, text) in (first_line..).zip(text.lines()) {
        for word in text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| MARKS.contains(word)) {
            findings.push(Finding::new(path, line, format!("`{word}` marks unfinished work")));
        }
    }
    findings
}

fn leftovers(path: &Path, tokens: &[Token]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pair in tokens.windows(2) {
        if matches!(pair[0].text, "todo" | "unimplemented") && pair[0].kind == Kind::Word && pair[1].text == "!" {
            findings.push(Finding::new(path, pair[0].line, format!("`{}!` is unfinished work", pair[0].text)));
        }
    }
    for three in tokens.windows(3) {
        if three[0].text == "#" && three[1].text == "[" && three[2].text == "ignore" {
            findings.push(Finding::new(path, three[0].line, "an ignored test tests nothing"));
        }
    }
    findings
}

fn globs(path: &Path, tokens: &[Token], tests: &[RangeInclusive<usize>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        // `use<'a>` after a `+` names captured lifetimes and imports nothing.
        if token.text != "use" || token.kind != Kind::Word || tokens.get(at + 1).is_none_or(|next| next.text == "<") {
            continue;
        }
        let path_tokens: Vec<&str> =
            tokens[at + 1..].iter().take_while(|token| token.text != ";").map(|token| token.text).collect();
        let is_own_test = is_within(tests, token.line) && path_tokens == ["super", ":", ":", "*"];
        if path_tokens.contains(&"*") && !is_own_test {
            findings.push(Finding::new(path, token.line, "a glob import hides where names come from"));
        }
    }
    findings
}

fn sleeps(path: &Path, tokens: &[Token], tests: &[RangeInclusive<usize>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let is_call = matches!(token.text, "sleep" | "sleep_until") && tokens.get(at + 1).is_some_and(|next| next.text == "(");
        let before = at.checked_sub(1).map_or("", |before| tokens[before].text);
        if is_call && token.kind == Kind::Word && !matches!(before, "." | "fn") && is_within(tests, token.line) {
            findings.push(Finding::new(path, token.line, "a test that sleeps is slow or wrong; wait for what it waits for"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{check_rust, check_script, function_names, public_items};
    use std::path::Path;

    fn check(path: &str, source: &str) -> Vec<String> {
        check_rust(Path::new(path), source).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_must_open_with_its_purpose() {
        assert_eq!(check("a.rs", "fn f() {}"), ["a.rs:1: does not open with `//!` saying what the file is for"]);
        assert_eq!(check("a.rs", "//! Does f.\nfn f() {}"), [""; 0]);
    }

    #[test]
    fn a_function_of_seventy_lines_passes_and_one_more_does_not() {
        let body = |lines: usize| format!("//! Long.\n\nfn long(\n    x: [u8; 2],\n) {{\n{}}}\n", "    f();\n".repeat(lines));
        assert_eq!(check("a.rs", &body(66)), [""; 0]);
        assert_eq!(check("a.rs", &body(67)), ["a.rs:3: function `long` has 71 lines; 70 is the most"]);
        assert_eq!(check("crates/a/tests/b.rs", &body(67)), [""; 0]);
    }

    #[test]
    fn a_file_of_five_hundred_lines_passes_and_tests_do_not_count() {
        let lines = |count: usize| format!("//! Long.\n{}", "const A: u8 = 1;\n".repeat(count));
        let tests = "#[cfg(test)]\n#[rustfmt::skip]\nmod tests {\n    fn f() {}\n}\n";
        assert_eq!(check("a.rs", &(lines(499) + tests)), [""; 0]);
        assert_eq!(check("a.rs", &lines(500)), ["a.rs:1: 501 lines without tests; 500 is the most"]);
        assert_eq!(check("src/tests.rs", &lines(600)), [""; 0]);
    }

    #[test]
    fn unfinished_work_is_found_in_code_and_comments_but_not_in_strings() {
        let source = "//! A.\nfn f() {\n    todo!()\n}\n/* one\nFIXME two */\nconst A: &str = \"todo!() FIXME\";\n#[test]\n#[ignore = \"slow\"]\nfn t() {}\n";
        assert_eq!(
            check("a.rs", source),
            [
                "a.rs:6: `FIXME` marks unfinished work",
                "a.rs:3: `todo!` is unfinished work",
                "a.rs:9: an ignored test tests nothing"
            ]
        );
    }

    #[test]
    fn glob_imports_are_refused_but_for_what_a_test_module_tests() {
        let source = "//! A.\nuse std::{fmt, io::*};\nfn f<'a>(x: &'a u8) -> impl Sized + use<'a> {\n    x\n}\n#[cfg(test)]\nmod tests {\n    use super::*;\n    use std::fmt::*;\n}\n";
        let message = "a glob import hides where names come from";
        assert_eq!(check("a.rs", source), [format!("a.rs:2: {message}"), format!("a.rs:9: {message}")]);
    }

    #[test]
    fn sleeping_is_refused_in_tests_alone() {
        let source = "//! A.\nasync fn f() {\n    tokio::time::sleep(d).await;\n}\n#[cfg(test)]\nmod tests {\n    fn t() {\n        std::thread::sleep(d);\n        clock.sleep(d);\n    }\n}\n";
        assert_eq!(check("a.rs", source), ["a.rs:8: a test that sleeps is slow or wrong; wait for what it waits for"]);
        assert_eq!(check("tests/a.rs", "//! A.\nfn t() {\n    sleep(d);\n}\n").len(), 1);
    }

    #[test]
    fn scripts_have_the_same_limit_and_no_test_left_out() {
        let script =
            |path: &str, source: &str| check_script(Path::new(path), source).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(script("a.svelte", &"x\n".repeat(501)), ["a.svelte:1: 501 lines; 500 is the most"]);
        assert_eq!(script("api.gen.ts", &"x\n".repeat(501)), [""; 0]);
        assert_eq!(script("a.test.ts", "\nit.skip('x', f)"), ["a.test.ts:2: `it.skip(` leaves tests out"]);
        assert_eq!(script("a.ts", "// TODO later"), ["a.ts:1: `TODO` marks unfinished work"]);
    }

    #[test]
    fn functions_and_public_items_are_listed_without_those_of_tests() {
        let source = "pub(crate) use a::b;\npub use c::D;\nfn r1_2_x() {}\nimpl D {\n    pub fn e() {}\n}\npub const R: u8 = 1;\n#[cfg(test)]\npub mod t { pub fn u() {} }\n";
        assert_eq!(public_items(source), [(2, "use c : : D".to_owned()), (7, "const R : u8".to_owned())]);
        let names: Vec<String> = function_names(source).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["r1_2_x", "e", "u"]);
    }
}
