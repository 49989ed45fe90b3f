//! The words of a mail: what was written, with the mailbox's signature below, as text and where wanted as HTML.

use crate::config::Signature;
use switchboard_model::OutboundMessage;

/// The two alternatives of a mail.
pub(super) struct Words {
    /// Plain text, always.
    pub(super) text: String,
    /// HTML, when the author or the mailbox has any.
    pub(super) html: Option<String>,
}

/// What a line of text holds at most when HTML is shown as text, in columns.
const TEXT_WIDTH: usize = 10_000;

impl Words {
    /// The words of a message. Notices of our own bear no signature.
    pub(super) fn of(message: &OutboundMessage, signature: &Signature, mailbox: &str, address: &str) -> Self {
        let author = message.author.as_deref().unwrap_or_default();
        let values = [
            ("{agent}", author),
            ("{agent_first_name}", author.split_whitespace().next().unwrap_or_default()),
            ("{mailbox}", mailbox),
            ("{address}", address),
        ];
        let none = Signature::default();
        let signature = if message.automatic { &none } else { signature };
        let below = signature.text.as_deref().map(|text| filled(text, &values));
        let below = below.or_else(|| signature.html.as_deref().map(|html| as_text(&filled_html(html, &values))));
        let mut text = match &message.html {
            Some(html) if message.text.trim().is_empty() => as_text(html),
            _ => message.text.clone(),
        };
        let html = (message.html.is_some() || signature.html.is_some()).then(|| {
            let written = message.html.clone().unwrap_or_else(|| as_html(&message.text));
            let below = match (&signature.html, &below) {
                (Some(html), _) => Some(filled_html(html, &values)),
                (None, Some(text)) => Some(as_html(text)),
                (None, None) => None,
            };
            below.map_or(written.clone(), |below| format!("{written}\n<div class=\"signature\">{below}</div>\n"))
        });
        if let Some(below) = below.filter(|below| !below.trim().is_empty()) {
            text = format!("{}\n\n-- \n{below}", text.trim_end());
        }
        Self { text, html }
    }
}

/// The template with its variables; a line whose variables are all empty is left out.
fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let lines = template.trim().lines().filter(|line| {
        let mut used = values.iter().filter(|(name, _)| line.contains(name)).peekable();
        used.peek().is_none() || used.any(|(_, value)| !value.is_empty())
    });
    lines.map(|line| replaced(line, values)).collect::<Vec<_>>().join("\n")
}

fn filled_html(template: &str, values: &[(&str, &str)]) -> String {
    let escaped: Vec<(&str, String)> = values.iter().map(|(name, value)| (*name, escape(value))).collect();
    let values: Vec<(&str, &str)> = escaped.iter().map(|(name, value)| (*name, value.as_str())).collect();
    filled(template, &values)
}

/// In one pass, so that a name with braces in it stays as it is.
fn replaced(text: &str, values: &[(&str, &str)]) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        written.push_str(&rest[..at]);
        rest = &rest[at..];
        match values.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                written.push_str(value);
                rest = &rest[name.len()..];
            }
            None => {
                written.push('{');
                rest = &rest[1..];
            }
        }
    }
    written.push_str(rest);
    written
}

/// Plain text as HTML: paragraphs at empty lines, line breaks elsewhere.
fn as_html(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let paragraphs = text.split("\n\n").map(|paragraph| paragraph.trim_matches('\n')).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| format!("<p>{}</p>", escape(paragraph).replace('\n', "<br>\n"))).collect::<Vec<_>>().join("\n")
}

fn as_text(html: &str) -> String {
    let text = html2text::config::plain_no_decorate().string_from_read(html.as_bytes(), TEXT_WIDTH);
    text.unwrap_or_default().trim().to_owned()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
