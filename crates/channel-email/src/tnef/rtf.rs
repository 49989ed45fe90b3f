//! Rich text as Outlook packs it: compressed ([MS-OXRTFCP]), and often HTML in disguise ([MS-OXRTFEX]).

/// What rich text holds.
pub(super) enum Content {
    /// The HTML that it was made from.
    Html(String),
    /// Its words.
    Text(String),
}

const COMPRESSED: u32 = 0x7546_5a4c;
const PLAIN: u32 = 0x414c_454d;
/// What the dictionary holds at first.
const PRELOADED: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const DICTIONARY_BYTES: usize = 4_096;
/// The deepest nesting of groups that is followed.
const MAX_DEPTH: usize = 200;
/// Groups whose content is no text.
const SILENT: [&str; 14] = [
    "fonttbl",
    "colortbl",
    "stylesheet",
    "info",
    "pict",
    "object",
    "header",
    "footer",
    "generator",
    "themedata",
    "colorschememapping",
    "listtable",
    "listoverridetable",
    "xmlnstbl",
];

/// Unpacks compressed rich text, `max_bytes` of it at most.
pub(super) fn decompress(packed: &[u8], max_bytes: usize) -> Option<Vec<u8>> {
    let number = |at: usize| Some(u32::from_le_bytes(packed.get(at..at + 4)?.try_into().ok()?));
    let (raw_size, kind) = (number(4)? as usize, number(8)?);
    let body = packed.get(16..)?;
    let size = raw_size.min(max_bytes);
    match kind {
        PLAIN => Some(body[..body.len().min(size)].to_vec()),
        COMPRESSED => Some(inflate(body, size)),
        _ => None,
    }
}

/// Each bit of a control byte says whether a byte follows or a place in the dictionary with a length.
fn inflate(body: &[u8], size: usize) -> Vec<u8> {
    let mut dictionary = [0_u8; DICTIONARY_BYTES];
    dictionary[..PRELOADED.len()].copy_from_slice(PRELOADED);
    let (mut write, mut out, mut at) = (PRELOADED.len(), Vec::new(), 0);
    while let Some(control) = body.get(at) {
        at += 1;
        for bit in 0..8 {
            if out.len() >= size {
                return out;
            }
            if control >> bit & 1 == 0 {
                let Some(byte) = body.get(at) else { return out };
                at += 1;
                out.push(*byte);
                dictionary[write] = *byte;
                write = (write + 1) % DICTIONARY_BYTES;
                continue;
            }
            let Some(pair) = body.get(at..at + 2) else { return out };
            at += 2;
            let (place, length) = (usize::from(pair[0]) << 4 | usize::from(pair[1]) >> 4, usize::from(pair[1] & 15) + 2);
            if place == write {
                return out;
            }
            for step in 0..length {
                let byte = dictionary[(place + step) % DICTIONARY_BYTES];
                out.push(byte);
                dictionary[write] = byte;
                write = (write + 1) % DICTIONARY_BYTES;
            }
        }
    }
    out
}

/// What a group says about its content.
#[derive(Clone, Copy)]
struct Group {
    silent: bool,
    tag: bool,
    /// Letters that stand in for a Unicode letter and are passed over.
    stand_ins: usize,
}

/// Reads rich text.
pub(super) fn read(rich: &[u8]) -> Content {
    let is_html = rich.windows(9).take(2_000).any(|piece| piece == b"\\fromhtml");
    let mut reader = Reader { is_html, out: String::new(), pending: Vec::new(), hidden: false };
    reader.run(rich);
    if is_html { Content::Html(reader.out) } else { Content::Text(reader.out.trim().to_owned()) }
}

struct Reader {
    is_html: bool,
    out: String,
    /// Bytes of the code page that are not yet letters.
    pending: Vec<u8>,
    /// Within `\htmlrtf`: what only readers of rich text are shown.
    hidden: bool,
}

impl Reader {
    fn run(&mut self, rich: &[u8]) {
        let mut groups = vec![Group { silent: false, tag: false, stand_ins: 1 }];
        let (mut at, mut passing) = (0, 0_usize);
        while let Some(byte) = rich.get(at) {
            at += 1;
            let group = groups.last().copied().unwrap_or(Group { silent: true, tag: false, stand_ins: 1 });
            match byte {
                b'{' if groups.len() < MAX_DEPTH => groups.push(Group { tag: false, ..group }),
                b'{' => return,
                b'}' => {
                    if groups.len() > 1 {
                        groups.pop();
                    }
                }
                b'\\' => {
                    let word = control(rich, &mut at);
                    if let Some(last) = groups.last_mut() {
                        self.obey(&word, last, &mut passing);
                    }
                }
                b'\r' | b'\n' => {}
                _ if passing > 0 => passing -= 1,
                byte => self.byte(*byte, group),
            }
        }
        self.flush();
    }

    fn obey(&mut self, word: &Control, group: &mut Group, passing: &mut usize) {
        match (word.name.as_str(), word.number) {
            ("'", Some(byte)) if *passing > 0 => {
                let _ = byte;
                *passing -= 1;
            }
            ("'", Some(byte)) => self.byte(byte as u8, *group),
            ("*", _) => group.silent = true,
            ("htmltag", _) => (group.silent, group.tag) = (false, true),
            ("htmlrtf", number) => self.hidden = number != Some(0),
            ("uc", Some(count)) => group.stand_ins = usize::try_from(count).unwrap_or(1).min(8),
            ("u", Some(code)) => {
                let code = u32::try_from(if code < 0 { code + 65_536 } else { code }).unwrap_or(0xfffd);
                self.letters(char::from_u32(code).unwrap_or('\u{fffd}').encode_utf8(&mut [0; 4]), *group);
                *passing = group.stand_ins;
            }
            ("par" | "line", _) => self.letters("\n", *group),
            ("tab", _) => self.letters("\t", *group),
            ("lquote", _) => self.letters("‘", *group),
            ("rquote", _) => self.letters("’", *group),
            ("ldblquote", _) => self.letters("“", *group),
            ("rdblquote", _) => self.letters("”", *group),
            ("endash", _) => self.letters("–", *group),
            ("emdash", _) => self.letters("—", *group),
            ("bullet", _) => self.letters("•", *group),
            ("~", _) => self.letters("\u{a0}", *group),
            ("\\" | "{" | "}", _) => self.letters(&word.name, *group),
            (name, _) if SILENT.contains(&name) => group.silent = true,
            _ => {}
        }
    }

    /// A byte of the code page, taken for Western where it is no ASCII.
    fn byte(&mut self, byte: u8, group: Group) {
        if self.is_shown(group) {
            self.pending.push(byte);
        }
    }

    fn letters(&mut self, letters: &str, group: Group) {
        if self.is_shown(group) {
            self.flush();
            self.out.push_str(letters);
        }
    }

    fn is_shown(&self, group: Group) -> bool {
        !group.silent && (group.tag || !(self.is_html && self.hidden))
    }

    fn flush(&mut self) {
        let bytes = std::mem::take(&mut self.pending);
        match String::from_utf8(bytes) {
            Ok(text) => self.out.push_str(&text),
            Err(error) => self.out.push_str(&crate::decode::western_text(error.as_bytes())),
        }
    }
}

/// A control word or symbol.
struct Control {
    name: String,
    number: Option<i32>,
}

/// Reads a control behind its backslash.
fn control(rich: &[u8], at: &mut usize) -> Control {
    let Some(first) = rich.get(*at) else { return Control { name: String::new(), number: None } };
    if !first.is_ascii_alphabetic() {
        *at += 1;
        let hex = rich.get(*at..*at + 2).and_then(|digits| std::str::from_utf8(digits).ok());
        let number = hex.filter(|_| *first == b'\'').and_then(|digits| i32::from_str_radix(digits, 16).ok());
        *at += if number.is_some() { 2 } else { 0 };
        return Control { name: char::from(*first).to_string(), number };
    }
    let letters = rich[*at..].iter().take(32).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let name = String::from_utf8_lossy(&rich[*at..*at + letters]).into_owned();
    *at += letters;
    let sign = usize::from(rich.get(*at) == Some(&b'-'));
    let digits = rich.get(*at + sign..).unwrap_or_default().iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
    let number = if digits > 0 {
        let text = String::from_utf8_lossy(&rich[*at..*at + sign + digits]).into_owned();
        *at += sign + digits;
        text.parse().ok()
    } else {
        None
    };
    if rich.get(*at) == Some(&b' ') {
        *at += 1;
    }
    Control { name, number }
}

#[cfg(test)]
mod tests {
    use super::{Content, decompress, inflate, read};

    fn text(rich: &str) -> String {
        match read(rich.as_bytes()) {
            Content::Text(text) | Content::Html(text) => text,
        }
    }

    #[test]
    fn words_come_out_of_rich_text() {
        assert_eq!(text(r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\pard Hei p\'e5 deg\par \u8364?5 \{x\}}"), "Hei på deg\n€5 {x}");
    }

    #[test]
    fn html_in_disguise_is_revealed() {
        let rich = r"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}\htmlrtf \par \htmlrtf0 Hei{\*\htmltag72 </p>}}";
        assert_eq!(text(rich), "<p>Hei</p>");
    }

    #[test]
    fn the_example_of_the_specification_is_decompressed() {
        let packed = [
            0x2d, 0, 0, 0, 0x2b, 0, 0, 0, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0, 0x0a, 0, 0x72, 0x63, 0x70,
            0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09, 0, 0x20, 0x62, 0x77, 0x05, 0xb0, 0x6c,
            0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
        ];
        let rich = decompress(&packed, 10_000).expect("compressed");
        assert_eq!(String::from_utf8_lossy(&rich), "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
    }

    #[test]
    fn no_more_comes_out_than_was_announced() {
        let bomb = [&[0xff_u8][..], &[0, 0x0f].repeat(8)].concat().repeat(1_000);
        assert!(inflate(&bomb, 500).len() < 520);
    }

    #[test]
    fn deep_nesting_ends_the_reading() {
        assert_eq!(text(&"{".repeat(100_000)), "");
    }
}
