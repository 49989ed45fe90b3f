//! What goes back to whoever submits: receipts, problem documents and the schema of the form. Pure. A form
//! has no way to send replies; those leave through another channel.

use crate::check;
use crate::config::{Bounds, Field, Form, Kind};
use crate::decode::FieldFault;
use crate::language::{Language, Phrases, filled};
use crate::submission::Unreadable;
use http::StatusCode;
use serde_json::{Map, Value, json};
use switchboard_channel::InboxErrorKind;
use switchboard_model::Receipt;

/// Why a submission was not taken.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refusal {
    /// The site that it comes from is not on the list.
    Forbidden,
    /// Too many from one address.
    RateLimited { retry_after_seconds: u64 },
    /// Too many being read at once.
    Crowded,
    /// None of the formats that are read.
    UnsupportedMediaType,
    /// More bytes than the form takes.
    TooLarge,
    /// It did not arrive in time.
    Timeout,
    /// It cannot be read.
    Unreadable(Unreadable),
    /// The fields are wrong; all that is wrong.
    Fields(Vec<FieldFault>),
    /// The inbox did not take it.
    Inbox(InboxErrorKind),
}

impl Refusal {
    /// HTTP status. A channel that is switched off answers 410: the operator takes nothing in, and a client
    /// must not hold the submission back and try again.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge | Self::Unreadable(Unreadable::TooManyParts) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::Fields(_) | Self::Inbox(InboxErrorKind::Invalid) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Inbox(InboxErrorKind::Closed) => StatusCode::GONE,
            Self::Crowded | Self::Inbox(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The kind of problem, for a program.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::RateLimited { .. } => "rate_limited",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::TooLarge => "too_large",
            Self::Timeout => "timeout",
            Self::Unreadable(Unreadable::Json { .. }) => "bad_json",
            Self::Unreadable(Unreadable::Multipart) => "bad_multipart",
            Self::Unreadable(Unreadable::TooManyParts) => "too_many_parts",
            Self::Fields(_) | Self::Inbox(InboxErrorKind::Invalid) => "invalid",
            Self::Inbox(InboxErrorKind::Closed) => "closed",
            Self::Crowded | Self::Inbox(_) => "unavailable",
        }
    }

    /// After how many seconds another try makes sense; `None` when none does.
    pub(crate) const fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after_seconds } => Some(*retry_after_seconds),
            Self::Crowded | Self::Inbox(InboxErrorKind::Busy) => Some(2),
            Self::Inbox(InboxErrorKind::Unknown) => Some(5),
            Self::Inbox(InboxErrorKind::Unavailable) => Some(30),
            _ => None,
        }
    }

    /// What went wrong, in the reader's language.
    pub(crate) fn detail(&self, form: &Form, phrases: &Phrases) -> String {
        match self {
            Self::Forbidden => phrases.forbidden.clone(),
            Self::RateLimited { retry_after_seconds } => {
                filled(&phrases.rate_limited, &[("seconds", &retry_after_seconds.to_string())])
            }
            Self::UnsupportedMediaType => phrases.unsupported_media_type.clone(),
            Self::TooLarge => filled(&phrases.too_large, &[("max", &check::size(form.limits.body_bytes))]),
            Self::Timeout => phrases.timeout.clone(),
            Self::Unreadable(Unreadable::TooManyParts) => {
                filled(&phrases.too_many_parts, &[("max", &form.limits.parts.to_string())])
            }
            Self::Unreadable(_) => phrases.bad_request.clone(),
            Self::Fields(_) => phrases.errors_heading.clone(),
            Self::Inbox(InboxErrorKind::Invalid) => phrases.refused.clone(),
            Self::Inbox(InboxErrorKind::Closed) => phrases.closed.clone(),
            Self::Crowded | Self::Inbox(_) => phrases.unavailable.clone(),
        }
    }
}

/// The answer to a program after the commit: `{conversation, message, duplicate}`.
pub(crate) fn receipt(receipt: &Receipt) -> Value {
    json!({ "conversation": receipt.conversation, "message": receipt.message, "duplicate": receipt.duplicate })
}

/// A problem document (RFC 9457) with every field fault at once, `{field, code, message}`, and for JSON that
/// cannot be read its line and column.
pub(crate) fn problem(form: &Form, refusal: &Refusal, language: &str) -> Value {
    let phrases = Language::serving(language).unwrap_or(Language::English).phrases();
    let mut document = Map::new();
    document.insert("type".to_owned(), format!("/api/docs#problem-{}", refusal.code()).into());
    document.insert("title".to_owned(), refusal.status().canonical_reason().unwrap_or("Refused").into());
    document.insert("status".to_owned(), refusal.status().as_u16().into());
    document.insert("detail".to_owned(), refusal.detail(form, phrases).into());
    document.insert("code".to_owned(), refusal.code().into());
    match refusal {
        Refusal::Fields(faults) => {
            let errors = faults.iter().map(|fault| {
                let message = fault.wrong.message(phrases, &label(form, &fault.field, language));
                json!({ "field": fault.field, "code": fault.wrong.code(), "message": message })
            });
            document.insert("errors".to_owned(), errors.collect());
        }
        Refusal::Unreadable(Unreadable::Json { line, column, message }) => {
            document.insert("detail".to_owned(), format!("line {line}, column {column}: {message}").into());
            document.insert("line".to_owned(), (*line).into());
            document.insert("column".to_owned(), (*column).into());
        }
        _ => {}
    }
    Value::Object(document)
}

/// The label of a field for this reader; an undeclared name stands for itself.
pub(crate) fn label(form: &Form, name: &str, language: &str) -> String {
    form.field(name).map_or(name, |(_, field)| field.label.in_language(language)).to_owned()
}

/// The declared fields, as a site that draws its own form needs them. Keys that mean nothing for a kind are
/// left out; sizes are in bytes, lengths in characters.
pub(crate) fn schema(form: &Form, language: &str) -> Value {
    let fields: Vec<Value> = form.fields.iter().map(|field| field_schema(field, language)).collect();
    json!({
        "slug": form.slug,
        "title": form.title.in_language(language),
        "intro": form.intro.as_ref().map(|intro| intro.in_language(language)),
        "language": language,
        "submit": format!("{}/submit", form.base_path()),
        "honeypot": Some(&form.honeypot).filter(|name| !name.is_empty()),
        "max_body_bytes": form.limits.body_bytes,
        "fields": fields,
    })
}

fn field_schema(field: &Field, language: &str) -> Value {
    let mut members = Map::new();
    let mut add = |key: &str, value: Value| members.insert(key.to_owned(), value);
    add("name", field.name.as_str().into());
    add("kind", field.kind.as_str().into());
    add("label", field.label.in_language(language).into());
    add("required", field.required.into());
    if let Some(hint) = &field.hint {
        add("hint", hint.in_language(language).into());
    }
    if let Some(role) = field.role {
        add("role", role.as_str().into());
    }
    if let Some(autocomplete) = &field.autocomplete {
        add("autocomplete", autocomplete.as_str().into());
    }
    match field.kind {
        Kind::Text | Kind::Textarea | Kind::Email | Kind::Phone => {
            add("max_length", field.max_length.into());
        }
        Kind::Select => {
            let offered = field.options.iter();
            let options = offered.map(|choice| json!({ "value": choice.value, "label": choice.label.in_language(language) }));
            add("options", options.collect());
        }
        Kind::File => {
            let words = check::accept_list(field);
            add("accept", words.split(", ").filter(|word| !word.is_empty()).collect());
            add("max_bytes", field.max_bytes.into());
            add("max_files", field.max_files.into());
        }
        Kind::Number | Kind::Date | Kind::Checkbox => {}
    }
    match field.bounds {
        Bounds::None => {}
        Bounds::Number { min, max } => {
            min.map(|min| add("min", min.into()));
            max.map(|max| add("max", max.into()));
        }
        Bounds::Date { min, max } => {
            min.map(|min| add("min", min.to_string().into()));
            max.map(|max| add("max", max.to_string().into()));
        }
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests;
