//! What visitors are asked before the first message, and how an answer is checked.

use super::text::{Text, TextShape};
use email_address::{EmailAddress, Options};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The longest answer, in characters.
const LONGEST_ANSWER: usize = 1_000;

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Question {
    /// Its name in `fields` and in rules (`form.NAME`).
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) label: Text,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) options: Vec<Choice>,
    /// Asked for these topics only; for all when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) topics: Vec<String>,
}

/// How a question is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    #[default]
    Text,
    Email,
    Phone,
    Number,
    List,
    Checkbox,
    Date,
    Consent,
}

/// A choice of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: Text,
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Required,
    TooLong,
    Invalid,
    Unknown,
    Repeated,
}

#[derive(Deserialize)]
pub(crate) struct QuestionShape {
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) kind: Kind,
    #[serde(default)]
    pub(super) required: bool,
    pub(super) label: Option<TextShape>,
    #[serde(default)]
    pub(super) options: Vec<ChoiceShape>,
    #[serde(default)]
    pub(super) topics: Vec<String>,
}

/// A value that is its own label, or both.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum ChoiceShape {
    /// The value.
    Plain(String),
    /// Value and label.
    Labelled { value: String, label: Option<TextShape> },
}

impl Wrong {
    /// The stable code.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::TooLong => "too_long",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
            Self::Repeated => "repeated",
        }
    }
}

impl Question {
    /// Whether it is asked about this topic.
    pub(crate) fn asked_for(&self, topic: Option<&str>) -> bool {
        self.topics.is_empty() || topic.is_some_and(|topic| self.topics.iter().any(|asked| asked == topic))
    }

    /// An answer as it is kept; `None` when nothing was answered.
    pub(crate) fn answer(&self, sent: &str) -> Result<Option<String>, Wrong> {
        self.kind.answer(sent, &self.options)
    }
}

impl Kind {
    /// An answer as it is kept: cleaned, and checked against the kind. `None` when nothing was answered.
    pub(crate) fn answer(self, sent: &str, options: &[Choice]) -> Result<Option<String>, Wrong> {
        let text = cleaned(sent, false);
        if text.is_empty() {
            return Ok(None);
        }
        if text.chars().count() > LONGEST_ANSWER {
            return Err(Wrong::TooLong);
        }
        let fits = match self {
            Self::Text => true,
            Self::Email => is_email(&text),
            Self::Phone => is_phone(&text),
            Self::Number => is_number(&text),
            Self::List => options.iter().any(|choice| choice.value == text),
            Self::Date => is_date(&text),
            Self::Checkbox | Self::Consent => match text.as_str() {
                "true" | "on" | "yes" | "1" => return Ok(Some("true".to_owned())),
                "false" | "off" | "no" | "0" => return Ok(None),
                _ => false,
            },
        };
        if fits { Ok(Some(text)) } else { Err(Wrong::Invalid) }
    }
}

/// Text with line feeds for every line end, without other control characters, trimmed. A single line has blanks for line
/// ends.
pub(crate) fn cleaned(sent: &str, several_lines: bool) -> String {
    let unified = sent.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = unified
        .chars()
        .filter_map(|letter| match letter {
            '\n' | '\t' => Some(if several_lines { letter } else { ' ' }),
            letter if letter.is_control() => None,
            letter => Some(letter),
        })
        .collect();
    kept.trim().to_owned()
}

/// Whether this is an address of a mailbox on a public domain.
pub(crate) fn is_email(text: &str) -> bool {
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    EmailAddress::parse_with_options(text, options).is_ok()
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plus_leads = text.rfind('+').is_none_or(|place| place == 0);
    (3..=20).contains(&digits) && plus_leads && text.bytes().all(|b| b.is_ascii_digit() || b" +-().,/".contains(&b))
}

fn is_number(text: &str) -> bool {
    let letters_fit = text.bytes().all(|b| b.is_ascii_digit() || b"+-.".contains(&b));
    letters_fit && text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_date(text: &str) -> bool {
    let digits =
        text.bytes().enumerate().all(|(place, byte)| if matches!(place, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    text.len() == 10 && digits && Date::strptime("%Y-%m-%d", text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{Choice, Kind, Question, Wrong, cleaned};
    use crate::config::Text;

    fn question(kind: Kind) -> Question {
        let label = Text([("*".to_owned(), "Label".to_owned())].into());
        let options = vec![Choice { value: "a".to_owned(), label: label.clone() }];
        Question { name: "q".to_owned(), kind, required: false, label, options, topics: vec!["t".to_owned()] }
    }

    #[test]
    fn every_kind_takes_what_fits_it_and_nothing_else() {
        for (kind, sent, expected) in [
            (Kind::Text, " one\r\ntwo\u{7} ", Ok(Some("one two"))),
            (Kind::Text, " \n", Ok(None)),
            (Kind::Email, "kari@eksempel.test", Ok(Some("kari@eksempel.test"))),
            (Kind::Email, "kari@eksempel", Err(Wrong::Invalid)),
            (Kind::Phone, "+47 22 33 44 55", Ok(Some("+47 22 33 44 55"))),
            (Kind::Phone, "22+33", Err(Wrong::Invalid)),
            (Kind::Number, "-1.5", Ok(Some("-1.5"))),
            (Kind::Number, "NaN", Err(Wrong::Invalid)),
            (Kind::List, "a", Ok(Some("a"))),
            (Kind::List, "b", Err(Wrong::Invalid)),
            (Kind::Date, "2026-02-28", Ok(Some("2026-02-28"))),
            (Kind::Date, "2026-02-30", Err(Wrong::Invalid)),
            (Kind::Checkbox, "on", Ok(Some("true"))),
            (Kind::Consent, "no", Ok(None)),
            (Kind::Consent, "maybe", Err(Wrong::Invalid)),
        ] {
            assert_eq!(question(kind).answer(sent), expected.map(|text| text.map(str::to_owned)), "{kind:?} {sent:?}");
        }
        assert_eq!(question(Kind::Text).answer(&"x".repeat(1_001)), Err(Wrong::TooLong));
    }

    #[test]
    fn a_question_of_a_topic_is_asked_for_that_topic_alone() {
        let question = question(Kind::Text);
        assert_eq!([Some("t"), Some("u"), None].map(|topic| question.asked_for(topic)), [true, false, false]);
    }

    #[test]
    fn text_of_several_lines_keeps_them() {
        assert_eq!(cleaned(" a\r\nb\rc\u{0} ", true), "a\nb\nc");
    }
}
