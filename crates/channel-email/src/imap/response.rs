//! What an IMAP server says, read from one response whose literals have been set aside (RFC 3501 7). Pure.
//!
//! Only what is used here is understood; anything else is [`Response::Other`], because servers may say at any
//! time what nobody asked for.

use super::wire::Part;
use bytes::Bytes;

/// One response.
#[derive(Debug)]
pub(super) enum Response {
    /// `+`: the server waits for more, and says this.
    Continue(Vec<u8>),
    /// The end of a command.
    Done {
        /// Which command.
        tag: String,
        /// How it ended.
        status: Status,
        /// What the server adds for programs.
        code: Code,
    },
    /// A remark, a greeting or a farewell.
    Remark(Status, Code),
    /// What the server can do, in capitals.
    Capabilities(Vec<String>),
    /// How many mails the folder holds.
    Exists,
    /// Unique numbers of mails.
    Found(Vec<u32>),
    /// Something about one mail.
    Fetched(Fetched),
    /// Anything else.
    Other,
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// As asked.
    Ok,
    /// It was refused.
    No,
    /// It was not understood.
    Bad,
    /// The server closes the connection.
    Bye,
    /// The server takes us for somebody already.
    Preauth,
}

/// What stands in brackets before the words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// Nothing.
    None,
    /// The numbers of mails are valid as long as this is the same.
    UidValidity(u32),
    /// The flags that can be kept.
    PermanentFlags(Vec<String>),
    /// What the server can do, in capitals.
    Capabilities(Vec<String>),
    /// Any other, by its name in capitals.
    Other(String),
}

/// What the server says about one mail.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    /// Its unique number.
    pub(super) uid: Option<u32>,
    /// Its size in bytes.
    pub(super) size: Option<u32>,
    /// All of it, or as much as was asked for.
    pub(super) body: Option<Body>,
}

/// The text of a mail.
#[derive(Debug)]
pub(super) enum Body {
    /// All that the server sent.
    Whole(Bytes),
    /// It was longer than what is kept, and was not kept.
    TooLarge,
}

/// A value in a response.
enum Value {
    Text(Vec<u8>),
    Body(Body),
    List(Vec<Value>),
}

/// How deep lists may be nested in what we ask for; two are used.
const MAX_DEPTH: usize = 8;
/// The longest name of a response code that is passed on.
const MAX_CODE_CHARS: usize = 32;

impl Response {
    /// Reads one response; `None` when it makes no sense.
    pub(super) fn read(parts: Vec<Part>) -> Option<Self> {
        let Some(Part::Text(line)) = parts.first() else { return None };
        let (first, rest) = split_word(line);
        match first {
            b"" => None,
            b"+" => Some(Self::Continue(rest.to_vec())),
            b"*" => Some(Self::untagged(parts)),
            tag => {
                let (word, rest) = split_word(rest);
                let status = Status::read(word)?;
                Some(Self::Done { tag: String::from_utf8_lossy(tag).into_owned(), status, code: Code::read(rest) })
            }
        }
    }

    fn untagged(parts: Vec<Part>) -> Self {
        let Some(Part::Text(line)) = parts.first() else { return Self::Other };
        let (_, rest) = split_word(line);
        let (word, more) = split_word(rest);
        if let Some(status) = Status::read(word) {
            return Self::Remark(status, Code::read(more));
        }
        match word.to_ascii_uppercase().as_slice() {
            b"CAPABILITY" => return Self::Capabilities(words(more)),
            b"SEARCH" => return Self::Found(numbers(more)),
            _ => {}
        }
        let (what, _) = split_word(more);
        if what.eq_ignore_ascii_case(b"EXISTS") {
            return Self::Exists;
        }
        // The list of what was fetched begins after the word.
        let skip = line.len() - more.len() + what.len();
        if what.eq_ignore_ascii_case(b"FETCH") {
            return fetched(parts, skip).map_or(Self::Other, Self::Fetched);
        }
        Self::Other
    }
}

impl Status {
    fn read(word: &[u8]) -> Option<Self> {
        let known: [(&[u8], Self); 5] =
            [(b"OK", Self::Ok), (b"NO", Self::No), (b"BAD", Self::Bad), (b"BYE", Self::Bye), (b"PREAUTH", Self::Preauth)];
        known.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, status)| *status)
    }
}

impl Code {
    fn read(text: &[u8]) -> Self {
        let Some(inside) = text.strip_prefix(b"[") else { return Self::None };
        let Some(end) = inside.iter().position(|byte| *byte == b']') else { return Self::None };
        let (name, rest) = split_word(&inside[..end]);
        let name = String::from_utf8_lossy(name).to_ascii_uppercase();
        match name.as_str() {
            "UIDVALIDITY" => numbers(rest).first().map_or(Self::None, |number| Self::UidValidity(*number)),
            "PERMANENTFLAGS" => {
                let flags = rest.strip_prefix(b"(").unwrap_or(rest);
                let flags = String::from_utf8_lossy(flags.strip_suffix(b")").unwrap_or(flags)).into_owned();
                Self::PermanentFlags(flags.split_whitespace().map(str::to_owned).collect())
            }
            "CAPABILITY" => Self::Capabilities(words(rest)),
            _ if name.len() <= MAX_CODE_CHARS && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
                Self::Other(name)
            }
            _ => Self::None,
        }
    }
}

fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| *byte == b' ').unwrap_or(text.len());
    (&text[..end], text.get(end + 1..).unwrap_or_default())
}

fn words(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text).split_ascii_whitespace().map(str::to_ascii_uppercase).collect()
}

/// The numbers at the start of a text; what follows, such as `(MODSEQ 5)`, is left out.
fn numbers(text: &[u8]) -> Vec<u32> {
    let text = String::from_utf8_lossy(text);
    text.split_ascii_whitespace().map_while(|word| word.parse().ok()).collect()
}

fn fetched(parts: Vec<Part>, skip: usize) -> Option<Fetched> {
    let mut values = values(parts, skip)?;
    let Some(Value::List(items)) = values.pop() else { return None };
    let mut fetched = Fetched::default();
    let mut items = items.into_iter();
    while let (Some(Value::Text(name)), Some(value)) = (items.next(), items.next()) {
        let name = name.to_ascii_uppercase();
        match (name.as_slice(), value) {
            (b"UID", Value::Text(number)) => fetched.uid = numbers(&number).first().copied(),
            (b"RFC822.SIZE", Value::Text(number)) => fetched.size = numbers(&number).first().copied(),
            (name, Value::Body(body)) if name.starts_with(b"BODY[]") => fetched.body = Some(body),
            (name, Value::Text(text)) if name.starts_with(b"BODY[]") => fetched.body = Some(Body::Whole(text.into())),
            _ => {}
        }
    }
    Some(fetched)
}

/// The values of a response from a place in its first part on.
fn values(parts: Vec<Part>, skip: usize) -> Option<Vec<Value>> {
    let mut open: Vec<Vec<Value>> = vec![Vec::new()];
    for (nth, part) in parts.into_iter().enumerate() {
        match part {
            Part::Text(text) => read_text(text.get(if nth == 0 { skip } else { 0 }..)?, &mut open)?,
            Part::Literal(bytes) => open.last_mut()?.push(Value::Body(Body::Whole(bytes))),
            Part::TooLarge => open.last_mut()?.push(Value::Body(Body::TooLarge)),
        }
    }
    let whole = open.pop()?;
    open.is_empty().then_some(whole)
}

/// Adds the values of a text to the lists that are open.
fn read_text(mut text: &[u8], open: &mut Vec<Vec<Value>>) -> Option<()> {
    while let Some((first, rest)) = text.split_first() {
        text = rest;
        match first {
            b' ' => {}
            b'(' if open.len() <= MAX_DEPTH => open.push(Vec::new()),
            b'(' => return None,
            b')' => {
                let list = open.pop()?;
                open.last_mut()?.push(Value::List(list));
            }
            b'"' => {
                let (value, after) = quoted(rest)?;
                open.last_mut()?.push(Value::Text(value));
                text = after;
            }
            _ => {
                let end = atom_end(rest);
                let mut atom = vec![*first];
                atom.extend_from_slice(&rest[..end]);
                open.last_mut()?.push(Value::Text(atom));
                text = &rest[end..];
            }
        }
    }
    Some(())
}

/// Where an atom ends; brackets hold it together, as in `BODY[HEADER.FIELDS (TO)]`.
fn atom_end(text: &[u8]) -> usize {
    let mut in_brackets = false;
    for (place, byte) in text.iter().enumerate() {
        match byte {
            b'[' => in_brackets = true,
            b']' => in_brackets = false,
            b' ' | b'(' | b')' if !in_brackets => return place,
            _ => {}
        }
    }
    text.len()
}

fn quoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut value = Vec::new();
    let mut place = 0;
    loop {
        match text.get(place)? {
            b'"' => return Some((value, &text[place + 1..])),
            b'\\' => {
                value.push(*text.get(place + 1)?);
                place += 2;
            }
            byte => {
                value.push(*byte);
                place += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Body, Code, Response, Status};
    use crate::imap::wire::Part;
    use bytes::Bytes;
    use proptest::prelude::{any, proptest};

    fn read(line: &str) -> Option<Response> {
        Response::read(vec![Part::Text(line.as_bytes().to_vec())])
    }

    #[test]
    fn what_servers_say_is_understood() {
        for (line, wanted) in [
            ("+ idling", "Continue([105, 100, 108, 105, 110, 103])"),
            ("+", "Continue([])"),
            ("a1 OK [READ-WRITE] done", "Done { tag: \"a1\", status: Ok, code: Other(\"READ-WRITE\") }"),
            ("a1 no", "Done { tag: \"a1\", status: No, code: None }"),
            ("* BYE shutting down", "Remark(Bye, None)"),
            ("* OK [UIDVALIDITY 3857529045] UIDs valid", "Remark(Ok, UidValidity(3857529045))"),
            ("* OK [PERMANENTFLAGS (\\Seen \\*)] Limited", "Remark(Ok, PermanentFlags([\"\\\\Seen\", \"\\\\*\"]))"),
            ("* CAPABILITY IMAP4rev1 idle", "Capabilities([\"IMAP4REV1\", \"IDLE\"])"),
            ("* SEARCH 2 84 882 (MODSEQ 917162500)", "Found([2, 84, 882])"),
            ("* SEARCH", "Found([])"),
            ("* 23 EXISTS", "Exists"),
            ("* FLAGS (\\Answered)", "Other"),
            ("* 5 EXPUNGE", "Other"),
            ("* 12 FETCH (FLAGS (\\Seen) UID 4 RFC822.SIZE 77)", "Fetched(Fetched { uid: Some(4), size: Some(77), body: None })"),
            ("* 12 FETCH (((((((((()))))))))", "Other"),
            ("* OK [X\u{1}Y] odd", "Remark(Ok, None)"),
        ] {
            assert_eq!(format!("{:?}", read(line).expect(line)), wanted, "{line}");
        }
        assert!(read("").is_none() && read("a1 MAYBE").is_none());
    }

    #[test]
    fn a_mail_comes_as_a_literal_or_in_quotes() {
        let parts = vec![
            Part::Text(b"* 1 FETCH (UID 9 BODY[]<0> ".to_vec()),
            Part::Literal(Bytes::from_static(b"Subject: (")),
            Part::Text(b" FLAGS (\"a\\\"b\"))".to_vec()),
        ];
        let Some(Response::Fetched(fetched)) = Response::read(parts) else { panic!("no mail") };
        assert_eq!(fetched.uid, Some(9));
        assert!(matches!(fetched.body, Some(Body::Whole(bytes)) if bytes == "Subject: ("));
        let Some(Response::Fetched(fetched)) = read("* 1 FETCH (BODY[] \"x y\" UID 3)") else { panic!("no mail") };
        assert_eq!(fetched.uid, Some(3));
        assert!(matches!(fetched.body, Some(Body::Whole(bytes)) if bytes == "x y"));
    }

    #[test]
    fn a_code_is_read_whatever_follows() {
        let Some(Response::Done { status, code, .. }) = read("a3 NO [AUTHENTICATIONFAILED] No [way]") else { panic!("no end") };
        assert_eq!((status, code), (Status::No, Code::Other("AUTHENTICATIONFAILED".into())));
    }

    proptest! {
        #[test]
        fn no_line_breaks_the_reader(start in "(\\* |a1 |\\+ |\\* 1 FETCH )?", line in any::<Vec<u8>>()) {
            let _ = Response::read(vec![Part::Text([start.as_bytes(), &line].concat()), Part::TooLarge, Part::Text(line)]);
        }
    }
}
