//! Splits Rust source into words and signs with their lines, so that checks never mistake text for code.

/// One piece of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// As written.
    pub text: &'a str,
    /// The line it begins on, from 1.
    pub line: usize,
}

/// What a piece of source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An identifier or keyword.
    Word,
    /// One sign, such as `{`.
    Sign,
    /// A string, character or number.
    Literal,
    /// `'a`
    Lifetime,
    /// A comment, documentation included.
    Comment,
}

/// Splits source into tokens; white space is dropped. Never fails: what cannot be understood becomes signs.
pub fn lex(source: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { source, at: 0, line: 1 };
    let mut tokens = Vec::new();
    while let Some(first) = lexer.peek(0) {
        if first.is_whitespace() {
            lexer.advance(first.len_utf8());
            continue;
        }
        let (start, line) = (lexer.at, lexer.line);
        let (kind, len) = lexer.next(first);
        lexer.advance(len);
        tokens.push(Token { kind, text: &source[start..start + len], line });
    }
    tokens
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    line: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.source[self.at..]
    }

    fn peek(&self, nth: usize) -> Option<char> {
        self.rest().chars().nth(nth)
    }

    fn advance(&mut self, len: usize) {
        self.line += self.rest()[..len].matches('\n').count();
        self.at += len;
    }

    /// The kind and the length in bytes of what begins here.
    fn next(&self, first: char) -> (Kind, usize) {
        let rest = self.rest();
        if rest.starts_with("//") {
            return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
        }
        if rest.starts_with("/*") {
            return (Kind::Comment, block_comment_len(rest));
        }
        if first == '"' {
            return (Kind::Literal, quoted_len(rest, '"'));
        }
        if first == '\'' {
            return match char_len(rest) {
                Some(len) => (Kind::Literal, len),
                None => (Kind::Lifetime, 1 + word_len(&rest[1..])),
            };
        }
        if first.is_ascii_digit() {
            return (Kind::Literal, number_len(rest));
        }
        if first == '_' || first.is_alphabetic() {
            let word = word_len(rest);
            return match prefixed_len(&rest[..word], &rest[word..]) {
                Some(len) => (Kind::Literal, word + len),
                None if &rest[..word] == "r" && rest[word..].starts_with('#') => {
                    (Kind::Word, word + 1 + word_len(&rest[word + 1..]))
                }
                None => (Kind::Word, word),
            };
        }
        (Kind::Sign, first.len_utf8())
    }
}

fn word_len(text: &str) -> usize {
    text.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len())
}

fn number_len(text: &str) -> usize {
    let whole = word_len(text);
    let fraction = text[whole..].strip_prefix('.').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    whole + fraction.map_or(0, |rest| 1 + word_len(rest))
}

fn block_comment_len(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a literal with escapes, both quotes included.
fn quoted_len(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if is_escaped {
            is_escaped = false;
        } else if c == '\\' {
            is_escaped = true;
        } else if c == quote {
            return at + 1;
        }
    }
    text.len()
}

/// The length of a character literal, or `None` where a lifetime begins.
fn char_len(text: &str) -> Option<usize> {
    let mut chars = text.chars().skip(1);
    let first = chars.next()?;
    if first == '\\' {
        return Some(quoted_len(text, '\''));
    }
    (chars.next() == Some('\'')).then(|| first.len_utf8() + 2)
}

/// The length of a string or byte literal after its prefix, such as `r#"…"#` after `r`.
fn prefixed_len(prefix: &str, rest: &str) -> Option<usize> {
    match prefix {
        "r" | "br" | "cr" => {
            let hashes = rest.find(|c| c != '#').unwrap_or(rest.len());
            let body = rest[hashes..].strip_prefix('"')?;
            let end = format!("\"{}", "#".repeat(hashes));
            Some(body.find(&end).map_or(rest.len(), |at| hashes + 1 + at + end.len()))
        }
        "b" | "c" if rest.starts_with('"') => Some(quoted_len(rest, '"')),
        "b" if rest.starts_with('\'') => Some(quoted_len(rest, '\'')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, lex};

    fn texts(source: &str, kind: Kind) -> Vec<&str> {
        lex(source).into_iter().filter(|token| token.kind == kind).map(|token| token.text).collect()
    }

    #[test]
    fn text_in_strings_and_comments_is_not_code() {
        let source = "let a = \"fn x() {\"; // fn y() {\n/* fn /* z */ { */ r#\"fn \"q\" {\"# b\"{\" b'{' '{' '\\'' done";
        assert_eq!(texts(source, Kind::Word), ["let", "a", "done"]);
        assert_eq!(texts(source, Kind::Sign), ["=", ";"]);
        assert_eq!(texts(source, Kind::Comment), ["// fn y() {", "/* fn /* z */ { */"]);
    }

    #[test]
    fn lifetimes_are_told_from_characters() {
        assert_eq!(texts("fn f<'a>(x: &'a str, y: char) { y == 'a' }", Kind::Lifetime), ["'a", "'a"]);
        assert_eq!(texts("'x' '\u{e9}' '\\n' '\\u{41}'", Kind::Literal), ["'x'", "'\u{e9}'", "'\\n'", "'\\u{41}'"]);
    }

    #[test]
    fn numbers_ranges_and_raw_names_are_whole() {
        assert_eq!(texts("1..2 1.5 0xff_u8 a.0", Kind::Literal), ["1", "2", "1.5", "0xff_u8", "0"]);
        assert_eq!(texts("r#type r", Kind::Word), ["r#type", "r"]);
    }

    #[test]
    fn lines_count_through_literals_of_several_lines() {
        let tokens = lex("\"a\nb\"\n/* c\nd */ e");
        assert_eq!(tokens.iter().map(|token| token.line).collect::<Vec<_>>(), [1, 3, 4]);
    }

    #[test]
    fn unfinished_source_ends_without_a_panic() {
        for source in ["\"", "'", "r#\"", "/*", "b'", "'\\", "r#", "\u{e9}'"] {
            lex(source);
        }
    }
}
