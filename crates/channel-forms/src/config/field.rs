//! The declared fields of a form: their kinds, meanings and limits.

use super::reader::Reader;
use super::{KEY_FIELD, LANGUAGE_FIELD, TOKEN_FIELD};
use crate::language::Text;
use jiff::civil::Date;
use toml::Value;

/// The most fields that a form may declare.
const MAX_FIELDS: usize = 100;

/// One declared field.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// `[a-z0-9_]+`, unique in the form.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) label: Text,
    /// A line of help below the label.
    pub(crate) hint: Option<Text>,
    pub(crate) required: bool,
    /// Most characters (Unicode scalar values) of the value.
    pub(crate) max_length: usize,
    pub(crate) bounds: Bounds,
    /// What a select offers.
    pub(crate) options: Vec<Choice>,
    /// Which files are taken; empty takes all.
    pub(crate) accept: Vec<Accept>,
    /// Most bytes of one file.
    pub(crate) max_bytes: usize,
    /// Most files.
    pub(crate) max_files: usize,
    pub(crate) role: Option<Role>,
    /// Token of the `autocomplete` attribute.
    pub(crate) autocomplete: Option<String>,
}

/// How a field is filled in and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Textarea,
    Email,
    Phone,
    Number,
    Select,
    Checkbox,
    Date,
    File,
}

/// What a field means to Switchboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Name,
    Email,
    Phone,
    Subject,
    Message,
}

/// Lower and upper bound of a number or a date, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bounds {
    None,
    Number { min: Option<f64>, max: Option<f64> },
    Date { min: Option<Date>, max: Option<Date> },
}

/// One choice of a select.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: Text,
}

/// A file that a field takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Accept {
    /// `.pdf`, in lower case, with the dot.
    Extension(String),
    /// `application/pdf`, in lower case.
    MediaType(String),
    /// `image/`, for `image/*`.
    MediaGroup(String),
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Text,
        Self::Textarea,
        Self::Email,
        Self::Phone,
        Self::Number,
        Self::Select,
        Self::Checkbox,
        Self::Date,
        Self::File,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Textarea => "textarea",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Number => "number",
            Self::Select => "select",
            Self::Checkbox => "checkbox",
            Self::Date => "date",
            Self::File => "file",
        }
    }

    const fn default_max_length(self) -> i64 {
        match self {
            Self::Textarea => 20_000,
            Self::Email => 254,
            Self::Phone | Self::Number => 40,
            Self::Date => 10,
            Self::Checkbox => 5,
            Self::Text | Self::Select | Self::File => 255,
        }
    }
}

impl Role {
    const ALL: [Self; 5] = [Self::Name, Self::Email, Self::Phone, Self::Subject, Self::Message];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Subject => "subject",
            Self::Message => "message",
        }
    }

    /// What a field of this name and kind means when nothing is said: the usual names only.
    fn usual(name: &str, kind: Kind) -> Option<Self> {
        let role = match name {
            "name" | "full_name" | "your_name" => Self::Name,
            "email" | "e_mail" | "mail" | "email_address" => Self::Email,
            "phone" | "telephone" | "tel" | "mobile" => Self::Phone,
            "subject" => Self::Subject,
            "message" | "comment" | "comments" | "description" => Self::Message,
            _ => return None,
        };
        role.fits(kind).then_some(role)
    }

    const fn fits(self, kind: Kind) -> bool {
        match self {
            Self::Email => matches!(kind, Kind::Email),
            Self::Phone => matches!(kind, Kind::Phone),
            Self::Name => matches!(kind, Kind::Text),
            Self::Subject => matches!(kind, Kind::Text | Kind::Select),
            Self::Message => matches!(kind, Kind::Text | Kind::Textarea),
        }
    }

    const fn autocomplete(self) -> Option<&'static str> {
        match self {
            Self::Name => Some("name"),
            Self::Email => Some("email"),
            Self::Phone => Some("tel"),
            Self::Subject | Self::Message => None,
        }
    }
}

/// Reads `[[channels.SLUG.fields]]`.
pub(crate) fn read_all(reader: &mut Reader<'_>, max_body_bytes: usize, honeypot: &str) -> Vec<Field> {
    let tables = match reader.value("fields") {
        // Absence is reported with the other missing keys.
        None => return Vec::new(),
        Some(Value::Array(entries)) if entries.iter().all(Value::is_table) => entries,
        Some(other) => return reader.wrong("fields", other, "a list of tables, [[channels.SLUG.fields]]").unwrap_or_default(),
    };
    if tables.is_empty() || tables.len() > MAX_FIELDS {
        reader.fault("fields", &format!("found {}; a form has 1 to {MAX_FIELDS} fields", tables.len()));
    }
    let mut fields: Vec<Field> = Vec::new();
    for (place, table) in tables.iter().filter_map(Value::as_table).enumerate().take(MAX_FIELDS) {
        let mut inner = reader.inside(&format!("fields.{place}"), table);
        let Some(field) = read(&mut inner, max_body_bytes) else { continue };
        if [TOKEN_FIELD, LANGUAGE_FIELD, KEY_FIELD, honeypot].contains(&field.name.as_str()) {
            inner.fault("name", &format!("`{}` is a hidden field of the form itself; choose another name", field.name));
        }
        if fields.iter().any(|other| other.name == field.name) {
            inner.fault("name", &format!("there are two fields `{}`", field.name));
        }
        let taken = fields.iter().find(|other| field.role.is_some() && other.role == field.role);
        if let (Some(other), Some(role)) = (taken, field.role) {
            let (name, role) = (&other.name, role.as_str());
            inner.fault("role", &format!("`{role}` is the role of `{name}` already; give one of them role = \"none\""));
        }
        fields.push(field);
    }
    fields
}

fn read(reader: &mut Reader<'_>, max_body_bytes: usize) -> Option<Field> {
    if !reader.has("name") {
        reader.fault("name", "missing; it is a name of a-z, 0-9 and _");
    }
    let name = reader.string("name")?;
    if name.is_empty() || name.len() > 64 || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        reader.fault("name", &format!("found `{name}`; it is 1 to 64 of a-z, 0-9 and _"));
        return None;
    }
    let kind = read_kind(reader)?;
    let role = read_role(reader, &name, kind);
    for (key, kinds) in [
        ("options", &[Kind::Select][..]),
        ("accept", &[Kind::File]),
        ("max_bytes", &[Kind::File]),
        ("max_files", &[Kind::File]),
        ("min", &[Kind::Number, Kind::Date]),
        ("max", &[Kind::Number, Kind::Date]),
        ("max_length", &[Kind::Text, Kind::Textarea, Kind::Email, Kind::Phone]),
    ] {
        if reader.has(key) && !kinds.contains(&kind) {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            reader.fault(key, &format!("means nothing for kind `{}`, only for {}", kind.as_str(), names.join(", ")));
        }
    }
    let body = i64::try_from(max_body_bytes).unwrap_or(i64::MAX);
    Some(Field {
        label: reader.text("label").unwrap_or_else(|| Text::Plain(readable(&name))),
        hint: reader.text("hint"),
        required: reader.truth("required").unwrap_or(false),
        max_length: reader.whole("max_length", 1, 1_000_000, kind.default_max_length()),
        bounds: read_bounds(reader, kind),
        options: if kind == Kind::Select { read_options(reader) } else { Vec::new() },
        accept: if kind == Kind::File { read_accept(reader) } else { Vec::new() },
        max_bytes: reader.whole("max_bytes", 1, body, body),
        max_files: reader.whole("max_files", 1, 100, 10),
        autocomplete: read_autocomplete(reader, role),
        name,
        kind,
        role,
    })
}

fn read_kind(reader: &mut Reader<'_>) -> Option<Kind> {
    if !reader.has("kind") {
        return Some(Kind::Text);
    }
    let word = reader.string("kind")?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == word);
    if kind.is_none() {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        reader.fault("kind", &format!("found `{word}`; it is one of {}", known.join(", ")));
    }
    kind
}

fn read_role(reader: &mut Reader<'_>, name: &str, kind: Kind) -> Option<Role> {
    if !reader.has("role") {
        return Role::usual(name, kind);
    }
    let word = reader.string("role").filter(|word| word != "none")?;
    let Some(role) = Role::ALL.into_iter().find(|role| role.as_str() == word) else {
        let known: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        reader.fault("role", &format!("found `{word}`; it is one of {}, none", known.join(", ")));
        return None;
    };
    if !role.fits(kind) {
        reader.fault("role", &format!("`{word}` does not fit a field of kind `{}`", kind.as_str()));
    }
    Some(role)
}

fn read_autocomplete(reader: &mut Reader<'_>, role: Option<Role>) -> Option<String> {
    let Some(token) = reader.string("autocomplete") else {
        return role.and_then(Role::autocomplete).map(str::to_owned);
    };
    if token.is_empty() || !token.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b' ')) {
        reader.fault("autocomplete", &format!("found `{token}`; it is a token of HTML such as given-name, or off"));
    }
    Some(token)
}

fn read_options(reader: &mut Reader<'_>) -> Vec<Choice> {
    let allowed = "a list of at least one text or { value = \"x\", label = \"X\" }";
    let entries = match reader.value("options") {
        Some(Value::Array(entries)) if !entries.is_empty() => entries,
        Some(other) => return reader.wrong("options", other, allowed).unwrap_or_default(),
        None => {
            reader.fault("options", &format!("missing; a select needs {allowed}"));
            return Vec::new();
        }
    };
    let mut options: Vec<Choice> = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let choice = match entry {
            Value::String(value) => Some(Choice { value: value.trim().to_owned(), label: Text::Plain(value.trim().to_owned()) }),
            Value::Table(table) => match table.get("value").and_then(Value::as_str).map(str::trim) {
                Some(value) => {
                    let label = table.get("label").and_then(|label| reader.text_of(&format!("options.{place}.label"), label));
                    Some(Choice { value: value.to_owned(), label: label.unwrap_or_else(|| Text::Plain(value.to_owned())) })
                }
                None => None,
            },
            _ => None,
        };
        match choice.filter(|choice| !choice.value.is_empty()) {
            Some(choice) if options.iter().any(|other| other.value == choice.value) => {
                reader.fault("options", &format!("offers `{}` twice", choice.value));
            }
            Some(choice) => options.push(choice),
            None => reader.wrong(&format!("options.{place}"), entry, "a text or { value = \"x\", label = \"X\" }").unwrap_or(()),
        }
    }
    options
}

fn read_accept(reader: &mut Reader<'_>) -> Vec<Accept> {
    let mut accept = Vec::new();
    for word in reader.strings("accept") {
        let lower = word.to_ascii_lowercase();
        let is_token = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+' | b'_'))
        };
        match (lower.strip_prefix('.'), lower.split_once('/')) {
            (Some(extension), None) if is_token(extension) => accept.push(Accept::Extension(lower)),
            (None, Some((group, "*"))) if is_token(group) => accept.push(Accept::MediaGroup(format!("{group}/"))),
            (None, Some((group, rest))) if is_token(group) && is_token(rest) => accept.push(Accept::MediaType(lower)),
            _ => reader.fault("accept", &format!("found `{word}`; it is .pdf, application/pdf or image/*")),
        }
    }
    accept
}

fn read_bounds(reader: &mut Reader<'_>, kind: Kind) -> Bounds {
    let bounds = match kind {
        Kind::Number => Bounds::Number { min: read_number(reader, "min"), max: read_number(reader, "max") },
        Kind::Date => Bounds::Date { min: read_date(reader, "min"), max: read_date(reader, "max") },
        _ => return Bounds::None,
    };
    let crossed = match bounds {
        Bounds::Number { min: Some(min), max: Some(max) } => min > max,
        Bounds::Date { min: Some(min), max: Some(max) } => min > max,
        _ => false,
    };
    if crossed {
        reader.fault("min", "lies above `max`");
    }
    bounds
}

fn read_number(reader: &mut Reader<'_>, key: &str) -> Option<f64> {
    match reader.value(key)? {
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) if number.is_finite() => Some(*number),
        other => reader.wrong(key, other, "a number"),
    }
}

fn read_date(reader: &mut Reader<'_>, key: &str) -> Option<Date> {
    let value = reader.value(key)?;
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Datetime(date) => date.to_string(),
        _ => String::new(),
    };
    match crate::check::date(&text) {
        Some(date) => Some(date),
        None => reader.wrong(key, value, "a date such as 2027-05-17"),
    }
}

/// `order_number` as `Order number`.
fn readable(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.trim().chars();
    letters.next().map_or_else(|| name.to_owned(), |first| first.to_uppercase().chain(letters).collect())
}
