//! A submission as it was sent, whatever the format: names with texts and files, nothing judged yet.

use crate::config::{Form, Kind};
use bytes::Bytes;
use serde_json::Value;

/// What was sent, in the order sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Submission {
    pub(crate) entries: Vec<Entry>,
}

/// One name with its value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) value: Sent,
}

/// A value as sent.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    /// A text, a number or a truth value.
    Text(String),
    /// A list or an object, where a single value belongs.
    Nested,
    /// A file.
    File(SentFile),
}

/// A file as sent.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SentFile {
    /// As the sender names it; not to be trusted.
    pub(crate) name: String,
    /// As the sender declares it; not to be trusted.
    pub(crate) content_type: String,
    /// The file; empty when it was too large to be kept.
    pub(crate) bytes: Bytes,
    /// It was larger than its field takes, or belongs to no field that takes files; its bytes were dropped.
    pub(crate) dropped: bool,
}

/// Why a body could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Not JSON, or JSON of another shape; line and column count from 1.
    Json { line: usize, column: usize, message: String },
    /// Not multipart as its header says.
    Multipart,
    /// More names, or parts, than the form takes.
    TooManyParts,
}

impl Submission {
    /// Reads `application/x-www-form-urlencoded`. Bytes that are not UTF-8 become replacement characters.
    pub(crate) fn from_urlencoded(body: &[u8], max_parts: usize) -> Result<Self, Unreadable> {
        let mut entries = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            if entries.len() == max_parts {
                return Err(Unreadable::TooManyParts);
            }
            entries.push(Entry { name: name.into_owned(), value: Sent::Text(value.into_owned()) });
        }
        Ok(Self { entries })
    }

    /// Reads `application/json`: one object of names and values; `null` is as if the name were absent.
    pub(crate) fn from_json(body: &[u8], max_parts: usize) -> Result<Self, Unreadable> {
        let value: Value = serde_json::from_slice(body).map_err(|error| {
            let message = error.to_string();
            let cause = message.split(" at line ").next().unwrap_or_default().to_owned();
            Unreadable::Json { line: error.line(), column: error.column(), message: cause }
        })?;
        let Value::Object(members) = value else {
            let message = "expected an object of field names and values".to_owned();
            return Err(Unreadable::Json { line: 1, column: 1, message });
        };
        if members.len() > max_parts {
            return Err(Unreadable::TooManyParts);
        }
        let entries = members.into_iter().filter_map(|(name, value)| {
            let value = match value {
                Value::Null => return None,
                Value::String(text) => Sent::Text(text),
                Value::Number(number) => Sent::Text(number.to_string()),
                Value::Bool(truth) => Sent::Text(truth.to_string()),
                Value::Array(_) | Value::Object(_) => Sent::Nested,
            };
            Some(Entry { name, value })
        });
        Ok(Self { entries: entries.collect() })
    }

    /// The first text under a name, trimmed; `None` when absent or blank.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.entries.iter().find_map(|entry| match &entry.value {
            Sent::Text(text) if entry.name == name => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => None,
        })
    }
}

/// Collects the parts of a multipart body as they arrive, keeping no byte of a file that will be refused.
pub(crate) struct Collector<'a> {
    form: &'a Form,
    submission: Submission,
    current: Option<Part>,
}

struct Part {
    name: String,
    /// File name and media type; `None` for a text.
    file: Option<(String, String)>,
    bytes: Vec<u8>,
    most_bytes: usize,
    dropped: bool,
}

impl<'a> Collector<'a> {
    /// Collects for a form.
    pub(crate) fn new(form: &'a Form) -> Self {
        Self { form, submission: Submission::default(), current: None }
    }

    /// A part begins. A part with a file name is a file.
    pub(crate) fn begin(&mut self, name: &str, file_name: Option<&str>, content_type: Option<&str>) -> Result<(), Unreadable> {
        self.finish_part();
        if self.submission.entries.len() == self.form.limits.parts {
            return Err(Unreadable::TooManyParts);
        }
        let field = self.form.field(name).map(|(_, field)| field);
        let files_so_far = self.submission.entries.iter().filter(|entry| entry.name == name).count();
        let file = file_name.map(|file| (file.to_owned(), content_type.unwrap_or_default().to_owned()));
        let most_bytes = match (&file, field) {
            (Some(_), Some(field)) if field.kind == Kind::File && files_so_far < field.max_files => field.max_bytes,
            (Some(_), _) => 0,
            (None, _) => self.form.limits.body_bytes,
        };
        self.current = Some(Part { name: name.to_owned(), file, bytes: Vec::new(), most_bytes, dropped: false });
        Ok(())
    }

    /// More bytes of the part that began last.
    pub(crate) fn extend(&mut self, chunk: &[u8]) {
        let Some(part) = &mut self.current else { return };
        if part.dropped || part.bytes.len() + chunk.len() > part.most_bytes {
            // An empty file input sends an empty chunk, which is no reason to drop anything.
            part.dropped = part.dropped || !chunk.is_empty();
            part.bytes = Vec::new();
        } else {
            part.bytes.extend_from_slice(chunk);
        }
    }

    /// The body has ended.
    pub(crate) fn finish(mut self) -> Submission {
        self.finish_part();
        self.submission
    }

    fn finish_part(&mut self) {
        let Some(part) = self.current.take() else { return };
        let value = match part.file {
            None => Sent::Text(String::from_utf8_lossy(&part.bytes).into_owned()),
            // What browsers send for a file input that was left empty.
            Some((name, _)) if name.is_empty() && part.bytes.is_empty() && !part.dropped => return,
            Some((name, content_type)) => {
                Sent::File(SentFile { name, content_type, bytes: Bytes::from(part.bytes), dropped: part.dropped })
            }
        };
        self.submission.entries.push(Entry { name: part.name, value });
    }
}

/// Names only: values are what people wrote.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.value {
            Sent::Text(_) => "text",
            Sent::Nested => "nested",
            Sent::File(_) => "file",
        };
        f.debug_struct("Entry").field("name_bytes", &self.name.len()).field("kind", &kind).finish_non_exhaustive()
    }
}
