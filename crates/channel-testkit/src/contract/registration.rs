//! Checks of what an adapter says about itself and how it reads its settings.

use crate::context::settings;
use std::collections::BTreeSet;
use switchboard_channel::Registration;

/// The registration describes itself: a summary sentence, and every setting once, with values, meaning, and a
/// default that is valid TOML.
///
/// # Panics
/// When something is missing, doubled or malformed.
pub fn registration_is_complete(registration: &Registration) {
    assert!(is_sentence(registration.summary), "the summary is no sentence: {:?}", registration.summary);
    let mut seen = BTreeSet::new();
    for setting in registration.settings {
        let key = setting.key;
        assert!(seen.insert(key), "the setting {key} is documented twice");
        let parts_are_names = key.split('.').all(|part| part == "*" || (!part.is_empty() && part.bytes().all(is_name_byte)));
        assert!(parts_are_names, "the key {key:?} is no dotted name");
        assert!(!setting.values.is_empty(), "the setting {key} does not say which values it takes");
        assert!(is_sentence(setting.about), "the setting {key} is not explained by a sentence: {:?}", setting.about);
        if let Some(default) = setting.default.filter(|default| !default.is_empty()) {
            let parsed = format!("value = {default}").parse::<toml::Table>();
            assert!(parsed.is_ok(), "the default of {key} is not TOML: {default}");
        }
    }
}

/// Good settings build, and the same settings with two unknown keys name both at once.
///
/// # Panics
/// When the good settings are refused, or a fault is missing or without its key.
pub fn settings_faults_come_all_at_once(registration: &Registration, good: &str) {
    if let Err(faults) = (registration.build)(&settings("sample", good)) {
        panic!("good settings were refused: {faults:?}");
    }
    let faulty = format!("zzz_first_stranger = 1\nzzz_second_stranger = true\n{good}");
    let Err(faults) = (registration.build)(&settings("sample", &faulty)) else {
        panic!("unknown keys were not noticed");
    };
    for key in ["channels.sample.zzz_first_stranger", "channels.sample.zzz_second_stranger"] {
        assert!(faults.iter().any(|fault| fault.key == key), "no fault names {key}: {faults:?}");
    }
    assert!(faults.iter().all(|fault| !fault.message.ends_with('.')), "a fault ends in a full stop: {faults:?}");
}

/// What a refused section says, and what `Debug` of the section shows, contains none of its secrets. Give
/// settings that are refused and hold the secrets.
///
/// # Panics
/// When the settings are accepted, or a secret is shown.
pub fn build_shows_no_secret(registration: &Registration, refused: &str, secrets: &[&str]) {
    let section = settings("sample", refused);
    super::debug_hides(&section, secrets);
    let Err(faults) = (registration.build)(&section) else {
        panic!("the settings of this check must be refused");
    };
    super::debug_hides(&faults, secrets);
}

fn is_sentence(text: &str) -> bool {
    text.ends_with('.') && text.chars().next().is_some_and(|first| first.is_uppercase() || !first.is_alphabetic())
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}
