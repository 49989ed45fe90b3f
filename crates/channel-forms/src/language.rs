//! Languages: which one a visitor reads, the texts of the operator in several of them, and our own phrases.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A language that the pages are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Dutch,
    Bokmal,
    Danish,
}

/// A text of the operator: one for everybody, or one per language tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// The same in every language.
    Plain(String),
    /// By language tag in lower case; never empty.
    Several(BTreeMap<String, String>),
}

/// The longest language tag that is looked at, in bytes (RFC 5646 section 4.4.1 asks for 35).
const MAX_TAG_BYTES: usize = 35;

impl Language {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 4] = [Self::English, Self::Dutch, Self::Bokmal, Self::Danish];

    /// The tag for the `lang` attribute.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Dutch => "nl",
            Self::Bokmal => "nb",
            Self::Danish => "da",
        }
    }

    /// The page language that serves a language tag; Nynorsk and plain Norwegian readers get Bokmål.
    pub(crate) fn serving(tag: &str) -> Option<Self> {
        match base(tag).to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "nl" => Some(Self::Dutch),
            "nb" | "nn" | "no" => Some(Self::Bokmal),
            "da" => Some(Self::Danish),
            _ => None,
        }
    }

    /// Our own phrases in this language.
    pub(crate) fn phrases(self) -> &'static Phrases {
        static ENGLISH: LazyLock<Phrases> = LazyLock::new(|| parsed(include_str!("../languages/en.json")));
        static DUTCH: LazyLock<Phrases> = LazyLock::new(|| parsed(include_str!("../languages/nl.json")));
        static BOKMAL: LazyLock<Phrases> = LazyLock::new(|| parsed(include_str!("../languages/nb.json")));
        static DANISH: LazyLock<Phrases> = LazyLock::new(|| parsed(include_str!("../languages/da.json")));
        match self {
            Self::English => &ENGLISH,
            Self::Dutch => &DUTCH,
            Self::Bokmal => &BOKMAL,
            Self::Danish => &DANISH,
        }
    }
}

impl Text {
    /// The text for a reader of this language: the tag itself, its base language, for Norwegian the other
    /// Norwegian, English, then whatever there is (nn, nb, en, any).
    pub(crate) fn in_language(&self, tag: &str) -> &str {
        let texts = match self {
            Self::Plain(text) => return text,
            Self::Several(texts) => texts,
        };
        let tag = tag.to_ascii_lowercase();
        let base = base(&tag);
        let kin: &[&str] = match base {
            "nn" | "no" => &["nb", "no", "nn"],
            "nb" => &["no", "nn"],
            _ => &[],
        };
        let order = [tag.as_str(), base].into_iter().chain(kin.iter().copied()).chain(["en"]);
        let found = order.into_iter().find_map(|tag| texts.get(tag)).or_else(|| texts.values().next());
        found.map_or("", String::as_str)
    }
}

/// The tag as it is kept, when it looks like one: letters, digits and hyphens.
pub(crate) fn well_formed(tag: &str) -> Option<&str> {
    let tag = tag.trim();
    let parts_fit = tag.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    (tag.len() <= MAX_TAG_BYTES && base(tag).len() >= 2 && parts_fit).then_some(tag)
}

/// The first language of an `Accept-Language` header that the pages are written in, by weight, then by order.
pub(crate) fn accepted(header: &str) -> Option<&str> {
    let mut wanted: Vec<(u16, &str)> = header
        .split(',')
        .take(20)
        .filter_map(|entry| {
            let mut parts = entry.split(';');
            let tag = well_formed(parts.next()?)?;
            let weight =
                parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(Some(1.0), |q| q.trim().parse::<f32>().ok());
            let weight = weight.filter(|weight| (0.0..=1.0).contains(weight))?;
            Language::serving(tag)?;
            Some(((weight * 1000.0) as u16, tag))
        })
        .filter(|(weight, _)| *weight > 0)
        .collect();
    // The sort is stable, so equal weights keep the order of the header.
    wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    wanted.first().map(|(_, tag)| *tag)
}

/// Puts values into the `{name}` places of a phrase.
pub(crate) fn filled(phrase: &str, values: &[(&str, &str)]) -> String {
    let mut rest = phrase;
    let mut text = String::with_capacity(phrase.len());
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            rest = after;
            break;
        };
        text.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = tail;
    }
    text.push_str(rest);
    text
}

fn base(tag: &str) -> &str {
    tag.split('-').next().unwrap_or(tag)
}

fn parsed(json: &str) -> Phrases {
    serde_json::from_str(json).expect("the phrase files hold every key as text; a test reads them all")
}

macro_rules! phrases {
    ($($key:ident),+ $(,)?) => {
        /// Every phrase of the pages and answers, `{name}` standing for a value. The files in `languages/` hold
        /// exactly these keys.
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct Phrases { $(pub(crate) $key: String),+ }
    };
}

phrases! {
    optional, choose, send, error_title, errors_heading, files_again, file_limits, character_limit, leave_empty,
    thanks_heading, thanks_text, back, required, too_long, invalid_email, invalid_phone, invalid_number, below_min,
    above_max, invalid_option, invalid_date, too_early, too_late, invalid_checkbox, not_text, repeated, too_many_files,
    file_too_large, file_type, file_needs_multipart, unexpected_file, unknown_field, invalid_key, too_fast, forbidden,
    rate_limited, unavailable, closed, refused, too_large, too_many_parts, unsupported_media_type, bad_request, timeout,
    not_found,
}

#[cfg(test)]
mod tests {
    use super::{Language, Text, accepted, filled, well_formed};
    use std::collections::{BTreeMap, BTreeSet};

    /// The phrases of a language by key, and the places for values in each.
    fn places(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let json = serde_json::to_value(language.phrases()).expect("phrases are plain texts");
        let entries = json.as_object().expect("phrases are an object").clone();
        entries
            .into_iter()
            .map(|(key, text)| {
                let text = text.as_str().expect("a phrase is a text").to_owned();
                assert!(!text.trim().is_empty(), "{key} is empty in {}", language.tag());
                let names = text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name.to_owned());
                (key, names.collect())
            })
            .collect()
    }

    #[test]
    fn every_language_has_every_phrase_with_the_same_places() {
        let english = places(Language::English);
        for language in Language::ALL {
            assert_eq!(places(language), english, "{}", language.tag());
        }
    }

    #[test]
    fn a_text_falls_back_from_nynorsk_to_bokmal_to_english_to_any() {
        let several = |entries: &[(&str, &str)]| {
            Text::Several(entries.iter().map(|(tag, text)| ((*tag).to_owned(), (*text).to_owned())).collect())
        };
        let text = several(&[("en", "Name"), ("nb", "Navn"), ("de", "Name (de)")]);
        for (tag, expected) in
            [("nn", "Navn"), ("nn-NO", "Navn"), ("nb", "Navn"), ("da", "Name"), ("de-AT", "Name (de)"), ("x", "Name")]
        {
            assert_eq!(text.in_language(tag), expected, "{tag}");
        }
        assert_eq!(several(&[("fi", "Nimi"), ("sv", "Namn")]).in_language("nn"), "Nimi");
        assert_eq!(Text::Plain("Navn".into()).in_language("nl"), "Navn");
    }

    #[test]
    fn the_accepted_language_goes_by_weight_then_order() {
        for (header, expected) in [
            ("nb-NO,nb;q=0.9,en;q=0.8", Some("nb-NO")),
            ("fr, de;q=0.9, nl;q=0.5, da;q=0.7", Some("da")),
            ("nn, en", Some("nn")),
            ("en;q=0, *", None),
            ("en;q=x, da", Some("da")),
            ("en;q=2", None),
            ("", None),
            ("\u{7f},;;q=,-,--", None),
        ] {
            assert_eq!(accepted(header), expected, "{header}");
        }
    }

    #[test]
    fn only_what_looks_like_a_tag_is_kept() {
        for (tag, kept) in [("nb", true), ("nb-NO", true), (" en ", true), ("n", false), ("nb_NO", false), ("", false)] {
            assert_eq!(well_formed(tag).is_some(), kept, "{tag}");
        }
        assert_eq!(well_formed(&"en-".repeat(40)), None);
    }

    #[test]
    fn places_are_filled_once_and_braces_in_values_stay() {
        assert_eq!(filled("{label}: {max} or {other}", &[("label", "{max}"), ("max", "3")]), "{max}: 3 or ");
        assert_eq!(filled("open {brace", &[]), "open brace");
    }
}
