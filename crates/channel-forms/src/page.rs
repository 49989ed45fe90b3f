//! The pages: the form itself and short notices. They work without JavaScript and carry no inline script or style;
//! those that sites may embed name one script, which talks to the page around them.

use crate::check;
use crate::config::{Bounds, Field, Form, KEY_FIELD, Kind, LANGUAGE_FIELD, TOKEN_FIELD};
use crate::decode::FieldFault;
use crate::encode::label;
use crate::language::{Language, Phrases, filled};
use crate::submission::{Sent, Submission};
use askama::Template;

/// The style sheet of the pages.
pub(crate) const STYLE: &str = include_str!("../templates/form.css");

/// The script by which a page in a frame tells its height and how it goes; only pages that may be embedded name it.
pub(crate) const EMBED: &str = include_str!("../templates/embed.js");

/// What a form page is drawn from.
pub(crate) struct FormPage<'a> {
    pub(crate) form: &'a Form,
    /// Language tag that the visitor reads.
    pub(crate) language: &'a str,
    /// The page's nonce, as written.
    pub(crate) token: &'a str,
    /// What was sent, when the page is shown again.
    pub(crate) kept: Option<&'a Submission>,
    /// What is wrong with that.
    pub(crate) faults: &'a [FieldFault],
    /// What went wrong besides the fields.
    pub(crate) problem: Option<String>,
}

/// The form as a page.
pub(crate) fn form_page(page: &FormPage<'_>) -> String {
    let FormPage { form, language, kept, faults, .. } = *page;
    let phrases = phrases(language);
    let fields: Vec<FieldView<'_>> = form.fields.iter().map(|field| FieldView::new(page, field, phrases)).collect();
    let errors = faults.iter().map(|fault| Complaint {
        href: form.field(&fault.field).map(|_| format!("#f-{}", fault.field)),
        message: fault.wrong.message(phrases, &label(form, &fault.field, language)),
    });
    let template = FormTemplate {
        lang: page_language(language).tag(),
        phrases,
        title: form.title.in_language(language),
        intro: paragraphs(form.intro.as_ref().map_or("", |intro| intro.in_language(language))),
        base: form.base_path(),
        multipart: form.takes_files(),
        honeypot: &form.honeypot,
        hidden: hidden(page),
        errors: page.problem.clone().into_iter().map(|message| Complaint { href: None, message }).chain(errors).collect(),
        heading: if faults.is_empty() { &phrases.error_title } else { &phrases.errors_heading },
        files_lost: kept.is_some_and(|kept| kept.entries.iter().any(|entry| matches!(entry.value, Sent::File(_)))),
        state: if faults.is_empty() && page.problem.is_none() { "form" } else { "wrong" },
        embedders: form.origins.join(" "),
        submit: form.submit_label.as_ref().map_or(phrases.send.as_str(), |text| text.in_language(language)),
        fields,
    };
    // Writing text into a text cannot fail.
    template.render().unwrap_or_default()
}

/// The page after success.
pub(crate) fn thanks_page(form: &Form, language: &str) -> String {
    let phrases = phrases(language);
    let text = form.thanks.as_ref().map_or(phrases.thanks_text.as_str(), |text| text.in_language(language));
    notice(form, language, &phrases.thanks_heading, text, "sent")
}

/// A page that says what went wrong, where there is no input to keep.
pub(crate) fn refusal_page(form: &Form, language: &str, detail: &str) -> String {
    notice(form, language, &phrases(language).error_title, detail, "failed")
}

/// Language of our own phrases for a visitor.
pub(crate) fn page_language(tag: &str) -> Language {
    Language::serving(tag).unwrap_or(Language::English)
}

#[derive(Template)]
#[template(path = "form.html")]
struct FormTemplate<'a> {
    lang: &'static str,
    phrases: &'static Phrases,
    title: &'a str,
    intro: Vec<&'a str>,
    base: String,
    multipart: bool,
    honeypot: &'a str,
    hidden: Vec<(&'static str, &'a str)>,
    errors: Vec<Complaint>,
    /// Above the errors.
    heading: &'a str,
    files_lost: bool,
    submit: &'a str,
    fields: Vec<FieldView<'a>>,
    /// `form`, or `wrong` where something has to be corrected.
    state: &'static str,
    embedders: String,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticeTemplate<'a> {
    lang: &'static str,
    phrases: &'static Phrases,
    title: &'a str,
    heading: &'a str,
    paragraphs: Vec<&'a str>,
    back: String,
    base: String,
    /// `sent` or `failed`.
    state: &'static str,
    embedders: String,
}

/// One line of the summary at the top.
struct Complaint {
    href: Option<String>,
    message: String,
}

/// A field as the template draws it.
struct FieldView<'a> {
    name: &'a str,
    label: &'a str,
    required: bool,
    /// `input`, `textarea`, `select`, `checkbox` or `file`.
    control: &'static str,
    input_type: &'static str,
    input_mode: Option<&'static str>,
    autocomplete: Option<&'a str>,
    /// Only where it spares the visitor a round trip; browsers count in UTF-16 units, which is never fewer.
    max_length: Option<usize>,
    min: Option<String>,
    max: Option<String>,
    accept: Option<String>,
    multiple: bool,
    options: Vec<OptionView<'a>>,
    value: &'a str,
    checked: bool,
    hints: Vec<String>,
    error: Option<String>,
    /// Ids for `aria-describedby`, separated by blanks.
    described_by: String,
}

struct OptionView<'a> {
    value: &'a str,
    label: &'a str,
    selected: bool,
}

impl<'a> FieldView<'a> {
    fn new(page: &FormPage<'a>, field: &'a Field, phrases: &Phrases) -> Self {
        let language = page.language;
        let value = page.kept.map_or("", |kept| kept_text(kept, &field.name));
        let label = field.label.in_language(language);
        let fault = page.faults.iter().find(|fault| fault.field == field.name);
        let error = fault.map(|fault| fault.wrong.message(phrases, label));
        let mut hints: Vec<String> = field.hint.iter().map(|hint| hint.in_language(language).to_owned()).collect();
        if field.kind == Kind::File {
            let (count, size) = (field.max_files.to_string(), check::size(field.max_bytes));
            hints.push(filled(&phrases.file_limits, &[("count", &count), ("size", &size)]));
        }
        if field.kind == Kind::Textarea && fault.is_some() {
            hints.push(filled(&phrases.character_limit, &[("max", &field.max_length.to_string())]));
        }
        let (control, input_type, input_mode) = control(field.kind);
        let (min, max) = match field.bounds {
            Bounds::Date { min, max } => (min.map(|date| date.to_string()), max.map(|date| date.to_string())),
            Bounds::None | Bounds::Number { .. } => (None, None),
        };
        let hint_ids = (0..hints.len()).map(|place| format!("f-{}-hint-{place}", field.name));
        let error_id = error.as_ref().map(|_| format!("f-{}-error", field.name));
        let described_by = hint_ids.chain(error_id).collect::<Vec<_>>().join(" ");
        let options = field.options.iter().map(|choice| OptionView {
            value: &choice.value,
            label: choice.label.in_language(language),
            selected: choice.value == value,
        });
        Self {
            name: &field.name,
            label,
            required: field.required,
            control,
            input_type,
            input_mode,
            autocomplete: field.autocomplete.as_deref(),
            max_length: matches!(field.kind, Kind::Text | Kind::Email | Kind::Phone).then_some(field.max_length),
            min,
            max,
            accept: (!field.accept.is_empty()).then(|| check::accept_list(field)),
            multiple: field.max_files > 1,
            options: options.collect(),
            value,
            checked: matches!(value.to_ascii_lowercase().as_str(), "on" | "true" | "yes" | "1"),
            hints,
            error,
            described_by,
        }
    }
}

/// Control, `type` and `inputmode` of a kind. Numbers are typed as text, because a number input of a browser
/// throws away what it cannot read before anybody can say so.
const fn control(kind: Kind) -> (&'static str, &'static str, Option<&'static str>) {
    match kind {
        Kind::Text => ("input", "text", None),
        Kind::Email => ("input", "email", None),
        Kind::Phone => ("input", "tel", None),
        Kind::Number => ("input", "text", Some("decimal")),
        Kind::Date => ("input", "date", None),
        Kind::Textarea => ("textarea", "", None),
        Kind::Select => ("select", "", None),
        Kind::Checkbox => ("checkbox", "checkbox", None),
        Kind::File => ("file", "file", None),
    }
}

fn hidden<'a>(page: &FormPage<'a>) -> Vec<(&'static str, &'a str)> {
    let key = page.kept.and_then(|kept| kept.text(KEY_FIELD)).map(|key| (KEY_FIELD, key));
    [(TOKEN_FIELD, page.token), (LANGUAGE_FIELD, page.language)].into_iter().chain(key).collect()
}

fn kept_text<'a>(kept: &'a Submission, name: &str) -> &'a str {
    let texts = kept.entries.iter().filter(|entry| entry.name == name);
    let first = texts.filter_map(|entry| if let Sent::Text(text) = &entry.value { Some(text.as_str()) } else { None }).next();
    first.unwrap_or_default()
}

fn notice(form: &Form, language: &str, heading: &str, text: &str, state: &'static str) -> String {
    let template = NoticeTemplate {
        lang: page_language(language).tag(),
        phrases: phrases(language),
        title: form.title.in_language(language),
        heading,
        paragraphs: paragraphs(text),
        back: format!("{}/?lang={language}", form.base_path()),
        base: form.base_path(),
        state,
        embedders: form.origins.join(" "),
    };
    // Writing text into a text cannot fail.
    template.render().unwrap_or_default()
}

fn paragraphs(text: &str) -> Vec<&str> {
    text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()).collect()
}

fn phrases(language: &str) -> &'static Phrases {
    page_language(language).phrases()
}

#[cfg(test)]
mod tests;
