//! Checks of single settings, with every fault collected.

use super::prechat::{Choice, ChoiceShape, Kind, Question, QuestionShape};
use super::text::{EVERY, Text, TextShape, well_formed};
use super::{IdentityConfig, IdentityMode, IdentityShape, Limits, LimitsShape, Look, LookShape, SecretsShape};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;
use std::net::IpAddr;
use switchboard_channel::{ANSWER_BY, Settings};
use switchboard_model::Fault;

/// Fields that the channel adds itself.
const RESERVED: [&str; 4] = [ANSWER_BY, "identity", "page", "topic"];
/// A secret of fewer bytes can be guessed.
const LEAST_SECRET_BYTES: usize = 16;

/// A section under check.
pub(super) struct Check<'s> {
    settings: &'s Settings,
    faults: Vec<Fault>,
}

impl<'s> Check<'s> {
    /// Nothing found yet.
    pub(super) const fn new(settings: &'s Settings) -> Self {
        Self { settings, faults: Vec::new() }
    }

    /// Notes that a key is wrong.
    pub(super) fn fault(&mut self, key: &str, message: impl Into<String>) {
        self.faults.push(Fault::new(self.settings.key(key), message));
    }

    /// The value, when nothing was found.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Vec<Fault>> {
        if self.faults.is_empty() { Ok(value) } else { Err(self.faults) }
    }

    /// A whole number within bounds.
    pub(super) fn whole<N: TryFrom<i64>>(&mut self, key: &str, found: Option<i64>, least: i64, most: i64, default: i64) -> N {
        let found = found.unwrap_or(default);
        let fits = (least..=most).contains(&found);
        if !fits {
            self.fault(key, format!("found `{found}`; it is a whole number from {least} to {most}"));
        }
        let kept = N::try_from(if fits { found } else { default }).ok();
        kept.expect("bounds and default of a setting fit its type")
    }

    /// The public key of the widget.
    pub(super) fn public_key(&mut self, found: Option<String>) -> String {
        let key = found.unwrap_or_default();
        let fits = (4..=64).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if !fits {
            self.fault("key", format!("found `{}`; it is 4 to 64 letters, digits, _ and -", short(&key)));
        }
        key
    }

    /// Exact origins. Those of apps have schemes of their own.
    pub(super) fn origins(&mut self, found: Vec<String>, web_views: bool) -> Vec<String> {
        for origin in found.iter().filter(|origin| !is_origin(origin, web_views)) {
            if is_origin(origin, true) {
                let message = format!("found `{}`; origins of apps, other than http and https, need `web_views`", short(origin));
                self.fault("origins", message);
                continue;
            }
            let hint = "an origin is scheme, host and port without a path, such as https://www.example.org";
            self.fault("origins", format!("found `{}`; {hint}", short(origin)));
        }
        found.into_iter().map(|origin| origin.to_ascii_lowercase()).collect()
    }

    /// A language tag.
    pub(super) fn locale(&mut self, found: Option<String>) -> String {
        let tag = found.unwrap_or_else(|| "en".to_owned());
        well_formed(&tag).unwrap_or_else(|| {
            self.fault("locale", format!("found `{}`; it is a language tag such as en, nl, nb or da", short(&tag)));
            tag
        })
    }

    /// How the site vouches.
    pub(super) fn identity(&mut self, shape: IdentityShape) -> IdentityConfig {
        let secrets = match shape.secrets {
            None => Vec::new(),
            Some(SecretsShape::List(list)) => list,
            Some(SecretsShape::Lines(text)) => {
                let lines = text.expose_secret().lines().map(str::trim).filter(|line| !line.is_empty());
                lines.map(SecretString::from).collect()
            }
        };
        if secrets.len() > 2 {
            self.fault(
                "identity.secrets",
                format!("found {}; one or two, the second for as long as a change takes", secrets.len()),
            );
        }
        if secrets.iter().any(|secret| secret.expose_secret().len() < LEAST_SECRET_BYTES) {
            self.fault("identity.secrets", format!("one is too short; each has at least {LEAST_SECRET_BYTES} bytes"));
        }
        if shape.mode != IdentityMode::Off && secrets.is_empty() {
            self.fault("identity.secrets", format!("missing; mode `{}` needs one", shape.mode.as_str()));
        }
        let realm = shape.realm.unwrap_or_else(|| self.settings.slug.clone());
        if realm.len() > 64 || !realm.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)) {
            self.fault("identity.realm", format!("found `{}`; it is at most 64 letters, digits, _, - and .", short(&realm)));
        }
        let skew_seconds = self.whole("identity.skew_seconds", shape.skew_seconds, 0, 600, 60);
        IdentityConfig { mode: shape.mode, secrets, skew_seconds, realm }
    }

    /// The questions before the first message.
    pub(super) fn questions(&mut self, found: Vec<QuestionShape>, topics: &[Choice]) -> Vec<Question> {
        if found.len() > 30 {
            self.fault("prechat", format!("found {}; 30 at most", found.len()));
        }
        let mut names = BTreeSet::new();
        let mut questions = Vec::new();
        for (place, shape) in found.into_iter().enumerate() {
            let key = |name: &str| format!("prechat.{place}.{name}");
            let name = shape.name.unwrap_or_default();
            if name.is_empty()
                || name.len() > 64
                || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            {
                self.fault(&key("name"), format!("found `{}`; it is 1 to 64 of a-z, 0-9 and _", short(&name)));
            } else if RESERVED.contains(&name.as_str()) {
                self.fault(&key("name"), format!("`{name}` is a field of the channel itself; choose another name"));
            } else if !names.insert(name.clone()) {
                self.fault(&key("name"), format!("there are two fields `{name}`"));
            }
            let owned = match name.as_str() {
                "email" => Some((Kind::Email, "email")),
                "name" => Some((Kind::Text, "text")),
                _ => None,
            };
            if let Some((kind, word)) = owned.filter(|(kind, _)| *kind != shape.kind) {
                self.fault(
                    &key("kind"),
                    format!("found `{:?}`; the field `{name}` is of kind `{word}`", shape.kind).to_lowercase(),
                );
                debug_assert_ne!(kind, shape.kind);
            }
            if (shape.kind == Kind::List) == shape.options.is_empty() {
                self.fault(&key("options"), "a field of kind `list` has them, and no other");
            }
            for topic in shape.topics.iter().filter(|topic| !topics.iter().any(|known| known.value == **topic)) {
                let known = topics.iter().map(|topic| topic.value.as_str());
                self.faults.push(Fault::unknown(self.settings.key(&key("topics")), "topic", topic, known));
            }
            let label = self.text(&key("label"), shape.label).unwrap_or_else(|| plain(&name.replace('_', " ")));
            let options = self.choices(&key("options"), shape.options);
            questions.push(Question { name, kind: shape.kind, required: shape.required, label, options, topics: shape.topics });
        }
        questions
    }

    /// Values with labels.
    pub(super) fn choices(&mut self, key: &str, found: Vec<ChoiceShape>) -> Vec<Choice> {
        if found.len() > 200 {
            self.fault(key, format!("found {}; 200 at most", found.len()));
        }
        let mut choices: Vec<Choice> = Vec::new();
        for (place, shape) in found.into_iter().enumerate() {
            let (value, label) = match shape {
                ChoiceShape::Plain(value) => (value, None),
                ChoiceShape::Labelled { value, label } => (value, label),
            };
            let value = value.trim().to_owned();
            if value.is_empty() || value.chars().count() > 100 || value.chars().any(char::is_control) {
                self.fault(&format!("{key}.{place}"), "a value is 1 to 100 characters on one line");
            } else if choices.iter().any(|choice| choice.value == value) {
                self.fault(key, format!("offers `{value}` twice"));
            }
            let label = self.text(&format!("{key}.{place}.label"), label).unwrap_or_else(|| plain(&value));
            choices.push(Choice { value, label });
        }
        choices
    }

    /// A text in one or several languages.
    fn text(&mut self, key: &str, found: Option<TextShape>) -> Option<Text> {
        match found? {
            TextShape::Plain(text) if !text.trim().is_empty() => Some(plain(text.trim())),
            TextShape::Plain(_) => None,
            TextShape::Several(texts) => {
                let mut kept = std::collections::BTreeMap::new();
                for (tag, text) in texts {
                    match well_formed(&tag).filter(|_| !text.trim().is_empty()) {
                        Some(tag) => drop(kept.insert(tag, text.trim().to_owned())),
                        None => self
                            .fault(&format!("{key}.{}", short(&tag)), "it is a language tag with a text, such as nb = \"Navn\""),
                    }
                }
                (!kept.is_empty()).then_some(Text(kept))
            }
        }
    }

    /// How it looks.
    pub(super) fn look(&mut self, shape: LookShape) -> Look {
        let color = shape.color.unwrap_or_else(|| "#1f5fbf".to_owned());
        let digits = color.strip_prefix('#').unwrap_or_default();
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            self.fault("look.color", format!("found `{}`; it is a colour such as #1f5fbf", short(&color)));
        }
        Look {
            color: color.to_ascii_lowercase(),
            position: shape.position,
            side_px: self.whole("look.side_px", shape.side_px, 0, 400, 20),
            bottom_px: self.whole("look.bottom_px", shape.bottom_px, 0, 400, 20),
            theme: shape.theme,
            preview: shape.preview.unwrap_or(true),
            sound: shape.sound.unwrap_or(true),
            launcher: self.text("look.launcher", shape.launcher),
            greeting: self.text("look.greeting", shape.greeting),
            title: self.text("look.title", shape.title),
        }
    }

    /// The limits.
    pub(super) fn limits(&mut self, shape: &LimitsShape) -> Limits {
        const MANY: i64 = 1_000_000;
        let mut whole =
            |key: &str, found, least, most, default| self.whole::<u32>(&format!("limits.{key}"), found, least, most, default);
        let large = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Limits {
            frame_bytes: large(whole("frame_bytes", shape.frame_bytes, 4_096, 1_048_576, 65_536)),
            text_length: large(whole("text_length", shape.text_length, 1, 250_000, 10_000)),
            messages_per_minute: whole("messages_per_minute", shape.messages_per_minute, 1, MANY, 30),
            message_burst: whole("message_burst", shape.message_burst, 1, MANY, 10),
            address_messages_per_minute: whole("address_messages_per_minute", shape.address_messages_per_minute, 1, MANY, 300),
            address_message_burst: whole("address_message_burst", shape.address_message_burst, 1, MANY, 60),
            frames_per_minute: whole("frames_per_minute", shape.frames_per_minute, 10, MANY, 240),
            connections: large(whole("connections", shape.connections, 1, MANY, 20_000)),
            connections_per_address: large(whole("connections_per_address", shape.connections_per_address, 1, MANY, 100)),
            connects_per_minute: whole("connects_per_minute", shape.connects_per_minute, 1, MANY, 120),
            uploads_per_minute: whole("uploads_per_minute", shape.uploads_per_minute, 1, MANY, 30),
            hello_timeout_seconds: whole("hello_timeout_seconds", shape.hello_timeout_seconds, 1, 60, 10).into(),
            ping_seconds: whole("ping_seconds", shape.ping_seconds, 1, 600, 30).into(),
            idle_seconds: whole("idle_seconds", shape.idle_seconds, 2, 3_600, 75).into(),
            write_timeout_seconds: whole("write_timeout_seconds", shape.write_timeout_seconds, 1, 120, 15).into(),
            conversations: large(whole("conversations", shape.conversations, 1, 50, 20)),
            proof_of_work_bits: whole("proof_of_work_bits", shape.proof_of_work_bits, 0, 24, 0),
        }
    }

    /// Addresses and networks. IPv4 written as IPv6 is IPv4, as it is when somebody comes from there.
    pub(super) fn networks(&mut self, key: &str, found: Vec<String>) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for entry in found {
            match entry.parse::<IpNet>().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from)) {
                Ok(network) => networks.push(canonical(network)),
                Err(_) => {
                    let hint = "it is an address or a network, such as 10.0.0.5 or 10.0.0.0/8";
                    self.fault(key, format!("found `{}`; {hint}", short(&entry)));
                }
            }
        }
        networks
    }

    /// The name of a header.
    pub(super) fn header(&mut self, found: Option<String>) -> Option<String> {
        let header = found.filter(|header| !header.is_empty())?;
        let name = header.parse::<http::HeaderName>().ok();
        if name.is_none() {
            self.fault("client_ip_header", format!("found `{}`; it is a header name such as x-forwarded-for", short(&header)));
        }
        name.map(|name| name.as_str().to_owned())
    }
}

fn canonical(network: IpNet) -> IpNet {
    let mapped = network.prefix_len().checked_sub(96).zip(match network.addr() {
        IpAddr::V6(address) => address.to_ipv4_mapped(),
        IpAddr::V4(_) => None,
    });
    mapped.and_then(|(prefix, address)| IpNet::new(address.into(), prefix).ok()).unwrap_or(network)
}

/// Whether this is an origin: scheme, host and perhaps port, nothing behind. Apps have schemes of their own; those whose
/// pages have no origin at all cannot be listed.
fn is_origin(text: &str, web_views: bool) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let Ok(uri) = text.parse::<http::Uri>() else { return false };
    let is_app = web_views && !matches!(scheme, "about" | "blob" | "data" | "file" | "filesystem" | "javascript");
    (is_app || matches!(scheme, "http" | "https"))
        && !rest.contains(['/', '?', '#', '@', '*'])
        && uri.authority().is_some_and(|authority| authority.as_str().len() == rest.len())
}

fn plain(text: &str) -> Text {
    Text([(EVERY.to_owned(), text.to_owned())].into())
}

/// The beginning of what was found, for a fault.
pub(super) fn short(found: &str) -> String {
    found.chars().take(40).collect()
}
