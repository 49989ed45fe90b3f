//! One catalogue per language, read by the desk and by Rust: flat keys, `{name}` placeholders, and
//! `.one` / `.other` for keys that depend on a number.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The languages there are, the default first.
pub const LANGUAGES: [&str; 4] = ["en", "nl", "nb", "da"];

type Words = BTreeMap<String, String>;

static CATALOGUES: LazyLock<[Words; 4]> = LazyLock::new(|| {
    LANGUAGES.map(|language| serde_json::from_str(catalogue(language)).expect("catalogues are flat JSON objects of strings"))
});

/// The catalogue of a language as JSON text: an object of key to text. A tag such as `nb-NO` counts by its
/// first part, `nn` and `no` are served by `nb`, and what is unknown by `en`.
#[must_use]
pub fn catalogue(lang: &str) -> &'static str {
    match index(lang) {
        1 => include_str!("../locales/nl.json"),
        2 => include_str!("../locales/nb.json"),
        3 => include_str!("../locales/da.json"),
        _ => include_str!("../locales/en.json"),
    }
}

/// The text of `key` with its `{name}` placeholders filled from `args`.
///
/// A key with plural forms takes its number from the argument `n`. A key that the language lacks is taken from
/// `en`; one that exists nowhere comes back as it is, so that a fault shows and nothing fails.
#[must_use]
pub fn translate(lang: &str, key: &str, args: &[(&str, &str)]) -> String {
    let found = lookup(index(lang), key, args).or_else(|| lookup(0, key, args));
    found.map_or_else(|| key.to_owned(), |text| fill(text, args))
}

fn index(lang: &str) -> usize {
    let first = lang.split(['-', '_']).next().unwrap_or_default();
    match first.to_ascii_lowercase().as_str() {
        "nl" => 1,
        "nb" | "nn" | "no" => 2,
        "da" => 3,
        _ => 0,
    }
}

fn lookup(language: usize, key: &str, args: &[(&str, &str)]) -> Option<&'static String> {
    let words = &CATALOGUES[language];
    if let Some(text) = words.get(key) {
        return Some(text);
    }
    // All of these languages have two forms, and `one` is for the number one alone.
    let number = args.iter().find(|(name, _)| *name == "n").map(|(_, value)| *value)?;
    words.get(&format!("{key}.{}", if number == "1" { "one" } else { "other" }))
}

fn fill(text: &str, args: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let Some(length) = rest[open..].find('}') else { break };
        let name = &rest[open + 1..open + length];
        filled.push_str(&rest[..open]);
        match args.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => filled.push_str(value),
            None => filled.push_str(&rest[open..=open + length]),
        }
        rest = &rest[open + length + 1..];
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::{CATALOGUES, LANGUAGES, Words, catalogue, translate};
    use std::collections::BTreeSet;
    use switchboard_model::{
        ChannelKind, DeliveryState, Distribution, ItemKind, ItemSort, ItemStatus, LoadGroup, OutsideHours, Priority,
        RefusalReason, Role, RouteEvent, Seat, StageTarget, TicketType, UnassignedReason, UnavailableCause, View, WhenNobody,
        WorkType,
    };

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect()
    }

    fn differences(language: &str, words: &Words, english: &Words) -> Vec<String> {
        let missing = english.keys().filter(|key| !words.contains_key(*key)).map(|key| format!("{language} lacks {key}"));
        let extra = words.keys().filter(|key| !english.contains_key(*key)).map(|key| format!("{language} has {key} alone"));
        let differing = english.iter().filter_map(|(key, text)| {
            let other = words.get(key)?;
            (placeholders(text) != placeholders(other)).then(|| format!("{language} has other placeholders in {key}"))
        });
        missing.chain(extra).chain(differing).collect()
    }

    #[test]
    fn every_language_has_the_same_keys_and_placeholders() {
        let faults: Vec<_> = LANGUAGES
            .iter()
            .zip(CATALOGUES.iter())
            .flat_map(|(language, words)| differences(language, words, &CATALOGUES[0]))
            .collect();
        assert!(faults.is_empty(), "{faults:#?}");
    }

    #[test]
    fn a_missing_key_and_a_differing_placeholder_are_found() {
        let english = Words::from([("a".to_owned(), "{n} b".to_owned()), ("c".to_owned(), "d".to_owned())]);
        let other = Words::from([("a".to_owned(), "{m} b".to_owned()), ("e".to_owned(), "f".to_owned())]);
        assert_eq!(differences("xx", &other, &english).len(), 3);
    }

    #[test]
    fn plural_forms_come_in_pairs() {
        for key in CATALOGUES[0].keys() {
            for (suffix, twin) in [(".one", ".other"), (".other", ".one")] {
                if let Some(stem) = key.strip_suffix(suffix) {
                    assert!(CATALOGUES[0].contains_key(&format!("{stem}{twin}")), "{key} has no {twin}");
                }
            }
        }
    }

    #[test]
    fn every_code_of_the_model_has_words() {
        let mut keys: Vec<String> = Vec::new();
        let mut add = |prefix: &str, codes: Vec<&'static str>| keys.extend(codes.iter().map(|code| format!("{prefix}.{code}")));
        add("unassigned", UnassignedReason::ALL.iter().map(|code| code.as_str()).collect());
        add("event", RouteEvent::ALL.iter().map(|code| code.as_str()).collect());
        add("distribution", Distribution::ALL.iter().map(|code| code.as_str()).collect());
        add("stage", StageTarget::ALL.iter().map(|code| code.as_str()).collect());
        add("reason.unavailable", UnavailableCause::ALL.iter().map(|code| code.as_str()).collect());
        add("when_nobody", WhenNobody::ALL.iter().map(|code| code.as_str()).collect());
        add("outside_hours", OutsideHours::ALL.iter().map(|code| code.as_str()).collect());
        add("refused", RefusalReason::ALL.iter().map(|code| code.as_str()).collect());
        add("item_status", ItemStatus::ALL.iter().map(|code| code.as_str()).collect());
        add("priority", Priority::ALL.iter().map(|code| code.as_str()).collect());
        add("kind", ChannelKind::ALL.iter().map(|code| code.as_str()).collect());
        add("item_kind", ItemKind::ALL.iter().map(|code| code.as_str()).collect());
        add("ticket_type", TicketType::ALL.iter().map(|code| code.as_str()).collect());
        add("work_type", WorkType::ALL.iter().map(|code| code.as_str()).collect());
        add("group", LoadGroup::ALL.iter().map(|code| code.as_str()).collect());
        add("view", View::ALL.iter().map(|code| code.as_str()).collect());
        add("sort", ItemSort::ALL.iter().map(|code| code.as_str()).collect());
        add("role", Role::ALL.iter().map(|code| code.as_str()).collect());
        add("seat", Seat::ALL.iter().map(|code| code.as_str()).collect());
        add("delivery", DeliveryState::ALL.iter().map(|code| code.as_str()).collect());
        let reasons =
            ["inactive", "no_seat", "no_access", "not_main_member", "at_capacity", "lacks_skill", "on_call", "excluded"];
        add("reason", reasons.to_vec());
        add("outcome", vec!["assigned", "assigned_team", "team_set", "kept", "unassigned"]);
        add("target", vec!["nobody", "users_and_teams", "team_only", "contact_owner", "assistant"]);
        add("verdict", vec!["chosen", "eligible"]);
        let missing: Vec<_> = keys.iter().filter(|key| !CATALOGUES[0].contains_key(*key)).collect();
        assert!(missing.is_empty(), "no words for {missing:?}");
    }

    #[test]
    fn text_is_filled_and_falls_back_to_its_neighbour() {
        assert_eq!(translate("en", "outcome.assigned", &[("user", "Kari")]), "Assigned to Kari");
        assert_eq!(translate("nn-NO", "outcome.assigned", &[("user", "Kari")]), "Tildelt Kari");
        assert_eq!(translate("fr", "outcome.assigned", &[("user", "{user}")]), "Assigned to {user}");
        assert_eq!(translate("da", "no.such.key", &[]), "no.such.key");
        assert_eq!(catalogue("DA-dk"), catalogue("da"));
    }

    #[test]
    fn a_number_chooses_the_plural_form() {
        assert_eq!(translate("en", "delivery.attempts", &[("n", "1")]), "1 attempt");
        assert_eq!(translate("nl", "delivery.attempts", &[("n", "2")]), "2 pogingen");
    }
}
