//! Splits HTML into tags and text, reading every byte once.
//!
//! What is read here is written anew before anything else parses it, so a tag that a browser would see elsewhere
//! costs looks and never safety.

/// A piece of HTML. Comments, declarations and unfinished tags are left out.
pub(super) enum Token<'h> {
    /// Text with its character references as they were written.
    Text(&'h str),
    /// A tag that opens an element.
    Open(Tag<'h>),
    /// The tag that closes the element of this name, in small letters.
    Close(String),
}

/// A tag that opens an element.
pub(super) struct Tag<'h> {
    /// The name in small letters.
    pub(super) name: String,
    /// Names and values as they were written, the first [`MAX_ATTRIBUTES`] of them.
    pub(super) attributes: Vec<(&'h str, &'h str)>,
    /// Whether it ends with `/>`, which means something within SVG and MathML.
    pub(super) closes_itself: bool,
}

/// Reads tokens one after another.
pub(super) struct Tokens<'h> {
    html: &'h str,
    at: usize,
}

/// Attributes of a tag beyond this many are dropped.
const MAX_ATTRIBUTES: usize = 50;

impl<'h> Tokens<'h> {
    /// Begins at the beginning.
    pub(super) fn new(html: &'h str) -> Self {
        Self { html, at: 0 }
    }

    /// Goes on behind the text of an element whose content is no markup: to the tag that closes it, else to the end.
    pub(super) fn skip_content(&mut self, name: &str) {
        let rest = self.html.as_bytes();
        while let Some(found) = self.html[self.at..].find("</") {
            self.at += found;
            let end = self.at + 2 + name.len();
            let same = rest.get(self.at + 2..end).is_some_and(|written| written.eq_ignore_ascii_case(name.as_bytes()));
            if same && rest.get(end).is_none_or(|byte| is_blank(*byte) || matches!(byte, b'/' | b'>')) {
                return;
            }
            self.at += 2;
        }
        self.at = self.html.len();
    }

    /// A tag, from behind its `<` or `</`; `None` when it does not end.
    fn tag(&mut self) -> Option<Tag<'h>> {
        let name = self.take_until(|byte| is_blank(byte) || matches!(byte, b'/' | b'>')).to_ascii_lowercase();
        let mut tag = Tag { name, attributes: Vec::new(), closes_itself: false };
        loop {
            let skipped = self.take_until(|byte| !is_blank(byte) && byte != b'/');
            if self.peek()? == b'>' {
                self.at += 1;
                tag.closes_itself = skipped.ends_with('/');
                return Some(tag);
            }
            let attribute = self.attribute()?;
            if tag.attributes.len() < MAX_ATTRIBUTES {
                tag.attributes.push(attribute);
            }
        }
    }

    /// An attribute, from its first letter; `None` when its value does not end.
    fn attribute(&mut self) -> Option<(&'h str, &'h str)> {
        let begin = self.at;
        // A name may begin with `=`, and with nothing else that would end it.
        self.at += usize::from(self.peek()? == b'=');
        self.take_until(|byte| is_blank(byte) || matches!(byte, b'/' | b'>' | b'='));
        let name = &self.html[begin..self.at];
        self.take_until(|byte| !is_blank(byte));
        if self.peek()? != b'=' {
            return Some((name, ""));
        }
        self.at += 1;
        self.take_until(|byte| !is_blank(byte));
        let quote = self.peek()?;
        if !matches!(quote, b'"' | b'\'') {
            return Some((name, self.take_until(|byte| is_blank(byte) || byte == b'>')));
        }
        self.at += 1;
        let value = self.take_until(|byte| byte == quote);
        self.peek()?;
        self.at += 1;
        Some((name, value))
    }

    /// Goes on behind a comment or declaration, from behind its `<`.
    fn skip_comment(&mut self) {
        let rest = &self.html[self.at..];
        let comment = rest.starts_with("!--");
        let mut ends = rest.match_indices('>').map(|(at, _)| at);
        let end = ends.find(|at| !comment || rest[..*at].ends_with("--") || rest[..*at].ends_with("--!"));
        self.at += end.map_or(rest.len(), |at| at + 1);
    }

    fn peek(&self) -> Option<u8> {
        self.html.as_bytes().get(self.at).copied()
    }

    /// Everything up to a byte that ends it, or to the end. What ends it must be ASCII or follow ASCII.
    fn take_until(&mut self, ends: impl Fn(u8) -> bool) -> &'h str {
        let begin = self.at;
        let length = self.html.as_bytes()[begin..].iter().position(|byte| ends(*byte));
        self.at = length.map_or(self.html.len(), |length| begin + length);
        &self.html[begin..self.at]
    }
}

impl<'h> Iterator for Tokens<'h> {
    type Item = Token<'h>;

    fn next(&mut self) -> Option<Token<'h>> {
        loop {
            let rest = &self.html[self.at..];
            let begin = self.at;
            match (rest.as_bytes().first()?, rest.as_bytes().get(1)) {
                (b'<', Some(letter)) if letter.is_ascii_alphabetic() => {
                    self.at += 1;
                    return self.tag().map(Token::Open);
                }
                (b'<', Some(b'/')) if rest.as_bytes().get(2).is_some_and(u8::is_ascii_alphabetic) => {
                    self.at += 2;
                    return self.tag().map(|tag| Token::Close(tag.name));
                }
                (b'<', Some(b'!' | b'/' | b'?')) => {
                    self.at += 1;
                    self.skip_comment();
                }
                (first, _) => {
                    // A `<` that begins no tag is text itself.
                    self.at += usize::from(*first == b'<');
                    self.take_until(|byte| byte == b'<');
                    return Some(Token::Text(&self.html[begin..self.at]));
                }
            }
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}
