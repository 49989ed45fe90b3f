//! Checks one value against its field. Pure; nothing here knows where a value came from.

use crate::config::{Accept, Bounds, Field, Kind};
use crate::language::{Phrases, filled};
use email_address::{EmailAddress, Options};
use jiff::civil::Date;

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wrong {
    Required,
    TooLong { max: usize },
    InvalidEmail,
    InvalidPhone,
    InvalidNumber,
    BelowMin { min: String },
    AboveMax { max: String },
    InvalidOption,
    InvalidDate,
    TooEarly { min: String },
    TooLate { max: String },
    InvalidCheckbox,
    NotText,
    Repeated,
    TooManyFiles { max: usize },
    FileTooLarge { max_bytes: usize },
    FileType { accepted: String },
    FileNeedsMultipart,
    UnexpectedFile,
    UnknownField,
    InvalidKey,
    TooFast,
}

impl Wrong {
    /// The stable code of the fault.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::TooLong { .. } => "too_long",
            Self::InvalidEmail => "invalid_email",
            Self::InvalidPhone => "invalid_phone",
            Self::InvalidNumber => "invalid_number",
            Self::BelowMin { .. } => "below_min",
            Self::AboveMax { .. } => "above_max",
            Self::InvalidOption => "invalid_option",
            Self::InvalidDate => "invalid_date",
            Self::TooEarly { .. } => "too_early",
            Self::TooLate { .. } => "too_late",
            Self::InvalidCheckbox => "invalid_checkbox",
            Self::NotText => "not_text",
            Self::Repeated => "repeated",
            Self::TooManyFiles { .. } => "too_many_files",
            Self::FileTooLarge { .. } => "file_too_large",
            Self::FileType { .. } => "file_type",
            Self::FileNeedsMultipart => "file_needs_multipart",
            Self::UnexpectedFile => "unexpected_file",
            Self::UnknownField => "unknown_field",
            Self::InvalidKey => "invalid_key",
            Self::TooFast => "too_fast",
        }
    }

    /// The fault in words, about a field with this label.
    pub(crate) fn message(&self, phrases: &Phrases, label: &str) -> String {
        let plain = |phrase: &str| filled(phrase, &[("label", label)]);
        let with = |phrase: &str, key: &str, value: &str| filled(phrase, &[("label", label), (key, value)]);
        match self {
            Self::Required => plain(&phrases.required),
            Self::TooLong { max } => with(&phrases.too_long, "max", &max.to_string()),
            Self::InvalidEmail => plain(&phrases.invalid_email),
            Self::InvalidPhone => plain(&phrases.invalid_phone),
            Self::InvalidNumber => plain(&phrases.invalid_number),
            Self::BelowMin { min } => with(&phrases.below_min, "min", min),
            Self::AboveMax { max } => with(&phrases.above_max, "max", max),
            Self::InvalidOption => plain(&phrases.invalid_option),
            Self::InvalidDate => plain(&phrases.invalid_date),
            Self::TooEarly { min } => with(&phrases.too_early, "min", min),
            Self::TooLate { max } => with(&phrases.too_late, "max", max),
            Self::InvalidCheckbox => plain(&phrases.invalid_checkbox),
            Self::NotText => plain(&phrases.not_text),
            Self::Repeated => plain(&phrases.repeated),
            Self::TooManyFiles { max } => with(&phrases.too_many_files, "max", &max.to_string()),
            Self::FileTooLarge { max_bytes } => with(&phrases.file_too_large, "max", &size(*max_bytes)),
            Self::FileType { accepted } => with(&phrases.file_type, "accepted", accepted),
            Self::FileNeedsMultipart => plain(&phrases.file_needs_multipart),
            Self::UnexpectedFile => plain(&phrases.unexpected_file),
            Self::UnknownField => plain(&phrases.unknown_field),
            Self::InvalidKey => plain(&phrases.invalid_key),
            Self::TooFast => phrases.too_fast.clone(),
        }
    }
}

/// The value as it is kept: cleaned of control characters and outer blanks, checked against its field. `None`
/// when nothing was filled in.
///
/// An email address keeps its letter case; a number and a date keep the form in which they were typed, except
/// that a decimal comma becomes a point; a ticked checkbox is `true`, an unticked one is nothing.
pub(crate) fn value(field: &Field, sent: &str) -> Result<Option<String>, Wrong> {
    let text = cleaned(sent, field.kind == Kind::Textarea);
    if text.is_empty() {
        return if field.required { Err(Wrong::Required) } else { Ok(None) };
    }
    if text.chars().count() > field.max_length && field.kind != Kind::Select {
        return Err(Wrong::TooLong { max: field.max_length });
    }
    match field.kind {
        Kind::Text | Kind::Textarea => Ok(Some(text)),
        Kind::Email => {
            if is_email(&text) {
                Ok(Some(text))
            } else {
                Err(Wrong::InvalidEmail)
            }
        }
        Kind::Phone => {
            if is_phone(&text) {
                Ok(Some(text))
            } else {
                Err(Wrong::InvalidPhone)
            }
        }
        Kind::Number => number(field, &text).map(Some),
        Kind::Select => {
            let offered = field.options.iter().any(|choice| choice.value == text);
            if offered { Ok(Some(text)) } else { Err(Wrong::InvalidOption) }
        }
        Kind::Checkbox => match text.to_ascii_lowercase().as_str() {
            "on" | "true" | "yes" | "1" => Ok(Some("true".to_owned())),
            "off" | "false" | "no" | "0" => {
                if field.required {
                    Err(Wrong::Required)
                } else {
                    Ok(None)
                }
            }
            _ => Err(Wrong::InvalidCheckbox),
        },
        Kind::Date => checked_date(field, text).map(Some),
        Kind::File => Err(Wrong::FileNeedsMultipart),
    }
}

/// A calendar date written as year-month-day and nothing else.
pub(crate) fn date(text: &str) -> Option<Date> {
    let digits =
        text.bytes().enumerate().all(|(place, byte)| if matches!(place, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    if text.len() != 10 || !digits {
        return None;
    }
    Date::strptime("%Y-%m-%d", text).ok()
}

/// Whether a file of this name and declared type is one that the field takes.
pub(crate) fn accepts(field: &Field, name: &str, content_type: &str) -> bool {
    let name = name.to_ascii_lowercase();
    field.accept.is_empty()
        || field.accept.iter().any(|accept| match accept {
            Accept::Extension(extension) => name.ends_with(extension.as_str()),
            Accept::MediaType(media_type) => content_type == media_type,
            Accept::MediaGroup(group) => content_type.starts_with(group.as_str()),
        })
}

/// What a field accepts, as the `accept` attribute writes it.
pub(crate) fn accept_list(field: &Field) -> String {
    let words: Vec<String> = field
        .accept
        .iter()
        .map(|accept| match accept {
            Accept::Extension(word) | Accept::MediaType(word) => word.clone(),
            Accept::MediaGroup(group) => format!("{group}*"),
        })
        .collect();
    words.join(", ")
}

/// A file name without path, control characters and direction marks, at most 120 bytes, never empty.
pub(crate) fn file_name(sent: &str) -> String {
    const MOST_BYTES: usize = 120;
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|letter| !letter.is_control() && !is_direction_mark(*letter)).collect();
    let kept = kept.trim().trim_start_matches('.').trim();
    if kept.is_empty() {
        return "file".to_owned();
    }
    if kept.len() <= MOST_BYTES {
        return kept.to_owned();
    }
    let ending = kept.rfind('.').map_or("", |dot| &kept[dot..]);
    let ending = if ending.len() <= 16 { ending } else { "" };
    let mut end = MOST_BYTES - ending.len();
    while !kept.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", &kept[..end])
}

/// The declared media type in lower case without parameters, or `application/octet-stream` when it is none.
pub(crate) fn media_type(sent: &str) -> String {
    let essence = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_token = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    match essence.split_once('/') {
        Some((group, rest)) if essence.len() <= 100 && is_token(group) && is_token(rest) => essence,
        _ => "application/octet-stream".to_owned(),
    }
}

/// A number of bytes for people, rounded down to a tenth so that no limit is overstated.
pub(crate) fn size(bytes: usize) -> String {
    let tenths = |unit: usize| {
        let (whole, tenth) = (bytes / unit, bytes % unit * 10 / unit);
        if tenth == 0 { whole.to_string() } else { format!("{whole}.{tenth}") }
    };
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", tenths(1_024)),
        _ => format!("{} MiB", tenths(1_048_576)),
    }
}

/// The text with line feeds for every line end, without other control characters, trimmed. A single-line
/// value has blanks for line ends.
pub(crate) fn cleaned(sent: &str, several_lines: bool) -> String {
    let unified = sent.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = unified
        .chars()
        .filter_map(|letter| match letter {
            '\n' if several_lines => Some('\n'),
            '\n' | '\t' => Some(if several_lines { '\t' } else { ' ' }),
            letter if letter.is_control() => None,
            letter => Some(letter),
        })
        .collect();
    kept.trim().to_owned()
}

fn is_email(text: &str) -> bool {
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    EmailAddress::parse_with_options(text, options).is_ok()
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plus_leads = text.rfind('+').is_none_or(|place| place == 0);
    let letters_fit = text.bytes().all(|b| b.is_ascii_digit() || b" +-().,/".contains(&b));
    (3..=20).contains(&digits) && plus_leads && letters_fit
}

fn number(field: &Field, text: &str) -> Result<String, Wrong> {
    let text = text.replacen(',', ".", 1);
    let digits_fit = text.bytes().any(|b| b.is_ascii_digit()) && text.bytes().all(|b| b.is_ascii_digit() || b"+-.".contains(&b));
    let parsed = text.parse::<f64>().ok().filter(|number| digits_fit && number.is_finite());
    let Some(parsed) = parsed else { return Err(Wrong::InvalidNumber) };
    if let Bounds::Number { min, max } = field.bounds {
        if let Some(min) = min.filter(|min| parsed < *min) {
            return Err(Wrong::BelowMin { min: min.to_string() });
        }
        if let Some(max) = max.filter(|max| parsed > *max) {
            return Err(Wrong::AboveMax { max: max.to_string() });
        }
    }
    Ok(text)
}

fn checked_date(field: &Field, text: String) -> Result<String, Wrong> {
    let Some(found) = date(&text) else { return Err(Wrong::InvalidDate) };
    if let Bounds::Date { min, max } = field.bounds {
        if let Some(min) = min.filter(|min| found < *min) {
            return Err(Wrong::TooEarly { min: min.to_string() });
        }
        if let Some(max) = max.filter(|max| found > *max) {
            return Err(Wrong::TooLate { max: max.to_string() });
        }
    }
    Ok(text)
}

/// Characters that turn the direction of text, with which `exe.txt` can be made to look like `txt.exe`.
fn is_direction_mark(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests;
