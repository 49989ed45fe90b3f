//! How the sender of answers is shown, and what stands below them, in each language.

use super::Check;
use serde::Deserialize;
use std::collections::BTreeMap;
use switchboard_channel::SettingDoc;

/// How the sender is shown, and what stands below answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SenderConfig {
    /// Whose name is shown.
    pub(crate) shown: Shown,
    /// For languages that have none of their own.
    pub(crate) signature: Signature,
    /// By language tag in lower case.
    pub(crate) languages: BTreeMap<String, Localized>,
}

/// Whose name a mail shows as its sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shown {
    /// `Pia Berg (Shop)`.
    #[default]
    AgentAndMailbox,
    /// `Pia Berg`.
    Agent,
    /// `Shop`.
    Mailbox,
}

/// What stands below an answer, with its variables not filled in yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signature {
    /// Plain text.
    pub(crate) text: Option<String>,
    /// HTML.
    pub(crate) html: Option<String>,
}

/// What differs in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Localized {
    /// The name of the mailbox.
    pub(crate) name: Option<String>,
    /// Its own signature, if it has one.
    pub(crate) signature: Signature,
}

/// Settings of this part.
pub(super) const SETTINGS: &[SettingDoc] = settings! {
    "sender", "`agent_and_mailbox`, `agent` or `mailbox`", Some("\"agent_and_mailbox\""),
        "The name that answers come from: `Pia Berg (Shop)`, `Pia Berg` or `Shop`; whatever there is where one is missing.";
    "signature", "text", Some(""),
        "Stands below answers, after a line `-- `. `{agent}`, `{agent_first_name}`, `{mailbox}` and `{address}` are filled in; a line whose variables are all empty is left out.";
    "signature_html", "HTML", Some(""), "The same in HTML; answers then have both. Variables are escaped.";
    "languages.*.name", "text", Some(""), "The name of the mailbox towards contacts who write in this language (a tag such as `nb`).";
    "languages.*.signature", "text", Some(""),
        "The signature for them. A tag falls back to its base language, Norwegian to the other Norwegian, then to `en`, then to `signature`.";
    "languages.*.signature_html", "HTML", Some(""), "The same in HTML.";
};

/// The longest signature, in bytes.
const MAX_SIGNATURE_BYTES: usize = 16_384;

#[derive(Deserialize)]
pub(super) struct SenderShape {
    sender: Option<Shown>,
    signature: Option<String>,
    signature_html: Option<String>,
    #[serde(default)]
    languages: BTreeMap<String, LocalizedShape>,
}

#[derive(Deserialize)]
struct LocalizedShape {
    name: Option<String>,
    signature: Option<String>,
    signature_html: Option<String>,
}

impl SenderConfig {
    /// The name and the signature for a contact of this language; `None` for one whose language is not known.
    pub(crate) fn in_language(&self, tag: Option<&str>) -> (Option<&str>, &Signature) {
        let chain = tag.map(chain).unwrap_or_default();
        let found = || chain.iter().filter_map(|tag| self.languages.get(tag.as_str()));
        let name = found().find_map(|own| own.name.as_deref());
        let signature = found().map(|own| &own.signature).find(|own| own.text.is_some() || own.html.is_some());
        (name, signature.unwrap_or(&self.signature))
    }
}

/// The tags that serve a reader of this language, best first: itself, its base, for Norwegian the other ones, English.
fn chain(tag: &str) -> Vec<String> {
    let tag = tag.to_ascii_lowercase().replace('_', "-");
    let base = tag.split('-').next().unwrap_or_default().to_owned();
    let kin: &[&str] = match base.as_str() {
        "nn" | "no" => &["nb", "no", "nn"],
        "nb" => &["no", "nn"],
        _ => &[],
    };
    [tag, base].into_iter().chain(kin.iter().map(|tag| (*tag).to_owned())).chain([String::from("en")]).collect()
}

impl Check<'_> {
    /// The part of the settings about the sender.
    pub(super) fn sender(&mut self, shape: SenderShape) -> SenderConfig {
        let signature = self.signature("", shape.signature, shape.signature_html);
        let mut languages = BTreeMap::new();
        for (tag, own) in shape.languages {
            if !tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') || tag.len() > 35 {
                self.fault(&format!("languages.{tag}"), "is no language tag such as `nb` or `en-GB`");
            }
            let signature = self.signature(&format!("languages.{tag}."), own.signature, own.signature_html);
            let name = own.name.filter(|name| !name.trim().is_empty());
            languages.insert(tag.to_ascii_lowercase(), Localized { name, signature });
        }
        SenderConfig { shown: shape.sender.unwrap_or_default(), signature, languages }
    }

    fn signature(&mut self, prefix: &str, text: Option<String>, html: Option<String>) -> Signature {
        for (key, found) in [("signature", &text), ("signature_html", &html)] {
            if found.as_ref().is_some_and(|found| found.len() > MAX_SIGNATURE_BYTES) {
                self.fault(&format!("{prefix}{key}"), format!("is longer than {MAX_SIGNATURE_BYTES} bytes"));
            }
        }
        let kept = |found: Option<String>| found.filter(|found| !found.trim().is_empty());
        Signature { text: kept(text), html: kept(html) }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::config;

    const SETTINGS: &str = "address = \"a@b.test\"\nsignature = \"any\"\n[languages.nb]\nsignature = \"norsk\"\nname = \"Butikk\"\n\
                            [languages.en]\nsignature = \"english\"\n[languages.nl]\nname = \"Winkel\"";

    #[test]
    fn a_language_falls_back_to_its_kin_then_to_english_then_to_the_one_for_all() {
        let sender = config(SETTINGS).sender;
        for (tag, name, text) in [
            (Some("nb"), Some("Butikk"), "norsk"),
            (Some("nn-NO"), Some("Butikk"), "norsk"),
            (Some("NO"), Some("Butikk"), "norsk"),
            (Some("nl-BE"), Some("Winkel"), "english"),
            (Some("de"), None, "english"),
            (None, None, "any"),
        ] {
            let (found, signature) = sender.in_language(tag);
            assert_eq!((found, signature.text.as_deref()), (name, Some(text)), "{tag:?}");
        }
    }
}
