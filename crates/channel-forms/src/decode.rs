//! From a submission to a message: all fields are judged at once, then the message is put together. Pure.

use crate::check::{self, Wrong};
use crate::config::{Field, Form, KEY_FIELD, Kind, LANGUAGE_FIELD, Role, TOKEN_FIELD};
use crate::submission::{Sent, SentFile, Submission};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use switchboard_model::{Attachment, Identity, InboundMessage, MessageDetails, Nature, Proof, RawSource, Sender, ThreadHints};

/// The most unknown names that are listed; a flood of them is one stranger's mistake, not many.
const MAX_UNKNOWN: usize = 20;

/// A submission measured against its form.
pub(crate) struct Checked {
    /// By place of the field: the value, when there is a good one.
    pub(crate) values: Vec<Option<String>>,
    /// Good files, with the place of their field, in the order sent.
    pub(crate) files: Vec<(usize, Attachment)>,
    /// Everything that is wrong, by place of the field, then unknown names. At most one per name.
    pub(crate) faults: Vec<FieldFault>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldFault {
    pub(crate) field: String,
    pub(crate) wrong: Wrong,
}

/// What a message needs besides the fields.
pub(crate) struct Envelope {
    pub(crate) external_id: String,
    /// The identity of the cookie that came with the request.
    pub(crate) cookie: Option<Identity>,
    /// The identity of the cookie that the answer sets, where none came.
    pub(crate) new_cookie: Option<Identity>,
    /// The identity of a sender who gave neither address nor cookie.
    pub(crate) stranger: Identity,
    /// Language tag of the page or of the embedding site.
    pub(crate) language: Option<String>,
    pub(crate) nature: Nature,
}

/// Measures a submission against its form.
pub(crate) fn checked(form: &Form, submission: &Submission) -> Checked {
    let mut wrongs: Vec<Option<Wrong>> = vec![None; form.fields.len()];
    let mut texts: Vec<Option<&str>> = vec![None; form.fields.len()];
    let mut sent_files: Vec<Vec<&SentFile>> = vec![Vec::new(); form.fields.len()];
    let mut unknown = BTreeSet::new();
    for entry in &submission.entries {
        let name = entry.name.as_str();
        let Some((place, field)) = form.field(name) else {
            if !is_hidden(form, name) && unknown.len() < MAX_UNKNOWN {
                unknown.insert(check::cleaned(name, false).chars().take(64).collect::<String>());
            }
            continue;
        };
        let wrong = match (&entry.value, field.kind) {
            (Sent::Nested, _) => Some(Wrong::NotText),
            (Sent::File(file), Kind::File) => {
                sent_files[place].push(file);
                None
            }
            (Sent::File(_), _) => Some(Wrong::UnexpectedFile),
            // A plain form without `enctype` sends the name of the chosen file; without a choice, nothing.
            (Sent::Text(text), Kind::File) => (!text.trim().is_empty()).then_some(Wrong::FileNeedsMultipart),
            (Sent::Text(_), _) if texts[place].is_some() => Some(Wrong::Repeated),
            (Sent::Text(text), _) => {
                texts[place] = Some(text);
                None
            }
        };
        wrongs[place] = wrongs[place].take().or(wrong);
    }
    judged(form, wrongs, &texts, &sent_files, unknown)
}

impl Checked {
    /// A digest of everything good in the submission, in which equal submissions agree.
    pub(crate) fn digest(&self, form: &Form) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        for (field, value) in form.fields.iter().zip(&self.values) {
            if let Some(value) = value {
                add(field.name.as_bytes());
                add(value.as_bytes());
            }
        }
        for (place, file) in &self.files {
            add(form.fields[*place].name.as_bytes());
            add(file.name.as_bytes());
            add(file.content_type.as_bytes());
            add(&file.bytes);
        }
        hash.finalize().into()
    }

    fn of_role<'a>(&'a self, form: &Form, role: Role) -> Option<&'a str> {
        let place = form.fields.iter().position(|field| field.role == Some(role))?;
        self.values[place].as_deref()
    }
}

/// Puts the message together from what is good in the submission.
///
/// The subject falls back to the form's title; the text, where the form has no filled message field, to one
/// line per filled field. An address that was typed proves nothing; only the cookie does (ROUTING 7.3).
pub(crate) fn message(form: &Form, checked: Checked, envelope: Envelope) -> InboundMessage {
    let subject = checked.of_role(form, Role::Subject).map(str::to_owned);
    let text = checked.of_role(form, Role::Message).map_or_else(|| listed(form, &checked), str::to_owned);
    let raw = raw(form, &checked);
    let sender = sender(form, &checked, &envelope);
    let fields = form.fields.iter().zip(checked.values);
    InboundMessage {
        channel: form.slug.clone(),
        external_id: envelope.external_id,
        further_ids: Vec::new(),
        sent_at: None,
        sender,
        thread: ThreadHints::default(),
        subject: Some(subject.unwrap_or_else(|| check::cleaned(form.title.in_language(&form.language), false))),
        text,
        html: None,
        fields: fields.filter_map(|(field, value)| Some((field.name.clone(), value?))).collect(),
        attachments: checked.files.into_iter().map(|(_, file)| file).collect(),
        recipients: Vec::new(),
        language: envelope.language,
        nature: envelope.nature,
        details: MessageDetails::default(),
        raw: Some(raw),
    }
}

fn judged(
    form: &Form,
    mut wrongs: Vec<Option<Wrong>>,
    texts: &[Option<&str>],
    sent_files: &[Vec<&SentFile>],
    unknown: BTreeSet<String>,
) -> Checked {
    let (mut values, mut files) = (Vec::with_capacity(form.fields.len()), Vec::new());
    for (place, field) in form.fields.iter().enumerate() {
        let outcome = match (&wrongs[place], field.kind) {
            (Some(_), _) => Ok(None),
            (None, Kind::File) => good_files(field, &sent_files[place]).map(|good| {
                files.extend(good.into_iter().map(|file| (place, file)));
                None
            }),
            (None, _) => check::value(field, texts[place].unwrap_or_default()),
        };
        values.push(outcome.unwrap_or_else(|wrong| {
            wrongs[place] = Some(wrong);
            None
        }));
    }
    let of_fields = form.fields.iter().zip(wrongs).filter_map(|(field, wrong)| Some((field.name.clone(), wrong?)));
    let of_strangers = unknown.into_iter().map(|name| (name, Wrong::UnknownField));
    let faults = of_fields.chain(of_strangers).map(|(field, wrong)| FieldFault { field, wrong }).collect();
    Checked { values, files, faults }
}

fn good_files(field: &Field, sent: &[&SentFile]) -> Result<Vec<Attachment>, Wrong> {
    if sent.len() > field.max_files {
        return Err(Wrong::TooManyFiles { max: field.max_files });
    }
    if sent.iter().any(|file| file.dropped || file.bytes.len() > field.max_bytes) {
        return Err(Wrong::FileTooLarge { max_bytes: field.max_bytes });
    }
    let files: Vec<Attachment> = sent
        .iter()
        .map(|file| Attachment {
            name: check::file_name(&file.name),
            content_type: check::media_type(&file.content_type),
            content_id: None,
            bytes: file.bytes.clone(),
        })
        .collect();
    if files.iter().any(|file| !check::accepts(field, &file.name, &file.content_type)) {
        return Err(Wrong::FileType { accepted: check::accept_list(field) });
    }
    if files.is_empty() && field.required { Err(Wrong::Required) } else { Ok(files) }
}

fn is_hidden(form: &Form, name: &str) -> bool {
    [TOKEN_FIELD, LANGUAGE_FIELD, KEY_FIELD].contains(&name) || (!form.honeypot.is_empty() && name == form.honeypot)
}

/// The cookie that is only being set goes along without proof: a contact that is made of this message owns it
/// from then on, and a contact that was there before must not get it.
fn sender(form: &Form, checked: &Checked, envelope: &Envelope) -> Sender {
    let proof = if envelope.cookie.is_some() { Proof::Cookie } else { Proof::Typed };
    let cookie = envelope.cookie.as_ref().or(envelope.new_cookie.as_ref());
    let (identity, also) = match (checked.of_role(form, Role::Email).map(Identity::email), cookie) {
        (Some(email), cookie) => (email, cookie.cloned().into_iter().collect()),
        (None, Some(cookie)) => (cookie.clone(), Vec::new()),
        (None, None) => (envelope.stranger.clone(), Vec::new()),
    };
    Sender { identity, also, proof, name: checked.of_role(form, Role::Name).map(str::to_owned) }
}

/// One line per filled field, a longer value on lines of its own.
fn listed(form: &Form, checked: &Checked) -> String {
    let filled = form.fields.iter().zip(&checked.values).filter_map(|(field, value)| Some((field, value.as_deref()?)));
    let lines: Vec<String> = filled
        .map(|(field, value)| {
            let label = field.label.in_language(&form.language);
            let shown = field.options.iter().find(|choice| choice.value == value);
            let value = shown.map_or(value, |choice| choice.label.in_language(&form.language));
            if value.contains('\n') { format!("{label}:\n{value}") } else { format!("{label}: {value}") }
        })
        .collect();
    lines.join("\n")
}

/// What was submitted, as JSON: the good values by name, and of files their name, type and size.
fn raw(form: &Form, checked: &Checked) -> RawSource {
    let named = form.fields.iter().zip(&checked.values);
    let values: Map<String, Value> =
        named.filter_map(|(field, value)| Some((field.name.clone(), Value::from(value.as_deref()?)))).collect();
    let files: Vec<Value> = checked
        .files
        .iter()
        .map(|(place, file)| {
            let field = &form.fields[*place].name;
            json!({ "field": field, "name": file.name, "content_type": file.content_type, "bytes": file.bytes.len() })
        })
        .collect();
    let document = json!({ "fields": values, "files": files });
    RawSource { content_type: "application/json".to_owned(), bytes: Bytes::from(document.to_string()) }
}

#[cfg(test)]
mod tests;
