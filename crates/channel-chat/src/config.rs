//! What `[channels.SLUG]` of kind `chat` may hold, read with every fault collected.

mod check;
mod docs;
mod files;
mod prechat;
mod text;

pub(crate) use docs::SETTINGS;
pub(crate) use prechat::{Choice, Kind, Question, Wrong, cleaned, is_email};
pub(crate) use text::{Text, well_formed};

use check::Check;
use ipnet::IpNet;
use prechat::{ChoiceShape, QuestionShape};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use switchboard_channel::Settings;
use switchboard_model::Fault;
use text::TextShape;

/// One chat as configured. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) slug: String,
    pub(crate) key: String,
    pub(crate) origins: Vec<String>,
    /// Pages of apps that have no origin may embed the widget as well.
    pub(crate) web_views: bool,
    /// Pages that isolate themselves may embed the widget as well.
    pub(crate) credentialless: bool,
    pub(crate) locale: String,
    pub(crate) cookie_days: u32,
    pub(crate) identity: IdentityConfig,
    pub(crate) questions: Vec<Question>,
    pub(crate) topics: Vec<Choice>,
    pub(crate) look: Look,
    pub(crate) files: FilesConfig,
    pub(crate) limits: Limits,
    /// Nobody gets in from here.
    pub(crate) blocked_addresses: Vec<IpNet>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Header that a trusted proxy names the client in, in lower case.
    pub(crate) client_ip_header: Option<String>,
}

/// How the site vouches for its visitors.
#[derive(Clone, Debug)]
pub(crate) struct IdentityConfig {
    pub(crate) mode: IdentityMode,
    /// One or two, any of which is good.
    pub(crate) secrets: Vec<SecretString>,
    pub(crate) skew_seconds: i64,
    /// Put before the site's ids, so that the ids of two sites do not meet; empty for none.
    pub(crate) realm: String,
}

/// Whether visitors are identified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IdentityMode {
    /// Never; what a page says is not looked at.
    #[default]
    Off,
    /// When the page says who it is.
    Optional,
    /// Nobody else gets in.
    Required,
}

impl IdentityMode {
    /// The word that the settings use.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
}

/// How launcher and window look.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) color: String,
    pub(crate) position: Position,
    pub(crate) side_px: u32,
    pub(crate) bottom_px: u32,
    pub(crate) theme: Theme,
    /// Whether an answer shows itself above the closed chat.
    pub(crate) preview: bool,
    /// Whether it is heard there.
    pub(crate) sound: bool,
    pub(crate) launcher: Option<Text>,
    pub(crate) greeting: Option<Text>,
    pub(crate) title: Option<Text>,
}

/// The lower corner that the launcher sits in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Position {
    Left,
    #[default]
    Right,
}

/// Light, dark, or as the visitor's system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

/// Which files visitors may send.
#[derive(Clone, Debug)]
pub(crate) struct FilesConfig {
    pub(crate) allowed: FilesAllowed,
    pub(crate) bytes: usize,
    pub(crate) count: usize,
    /// Extensions with their dot, media types, and groups such as `image/*`; all when empty.
    pub(crate) types: Vec<String>,
    pub(crate) memory_bytes: usize,
    pub(crate) keep_minutes: i64,
    pub(crate) read_timeout_seconds: u64,
    /// Whether pictures are written anew before anybody is shown them.
    pub(crate) reencode_images: bool,
    pub(crate) image_pixels: u64,
    pub(crate) images_at_once: usize,
    pub(crate) scanner: Option<ScannerAddress>,
    pub(crate) scan_timeout_seconds: u64,
}

/// Where the virus scanner listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ScannerAddress {
    /// A socket in the file system.
    Path(PathBuf),
    /// `HOST:PORT`.
    Network(String),
}

/// Who may send files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FilesAllowed {
    Off,
    #[default]
    Identified,
    All,
}

/// What one visitor, one address and all together may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) frame_bytes: usize,
    pub(crate) text_length: usize,
    pub(crate) messages_per_minute: u32,
    pub(crate) message_burst: u32,
    pub(crate) address_messages_per_minute: u32,
    pub(crate) address_message_burst: u32,
    pub(crate) frames_per_minute: u32,
    pub(crate) connections: usize,
    pub(crate) connections_per_address: usize,
    pub(crate) connects_per_minute: u32,
    pub(crate) uploads_per_minute: u32,
    pub(crate) hello_timeout_seconds: u64,
    pub(crate) ping_seconds: u64,
    pub(crate) idle_seconds: u64,
    pub(crate) write_timeout_seconds: u64,
    pub(crate) conversations: usize,
    /// What the first message of a stranger's conversation costs; nothing when 0.
    pub(crate) proof_of_work_bits: u32,
}

#[derive(Deserialize)]
struct Shape {
    key: Option<String>,
    #[serde(default)]
    origins: Vec<String>,
    #[serde(default)]
    web_views: bool,
    #[serde(default)]
    credentialless: bool,
    locale: Option<String>,
    cookie_days: Option<i64>,
    #[serde(default)]
    identity: IdentityShape,
    #[serde(default)]
    prechat: Vec<QuestionShape>,
    #[serde(default)]
    topics: Vec<ChoiceShape>,
    #[serde(default)]
    look: LookShape,
    #[serde(default)]
    files: FilesShape,
    #[serde(default)]
    limits: LimitsShape,
    #[serde(default)]
    blocked_addresses: Vec<String>,
    #[serde(default)]
    trusted_proxies: Vec<String>,
    client_ip_header: Option<String>,
}

#[derive(Default, Deserialize)]
struct IdentityShape {
    #[serde(default)]
    mode: IdentityMode,
    secrets: Option<SecretsShape>,
    skew_seconds: Option<i64>,
    realm: Option<String>,
}

/// A list, or the content of a file with one secret a line.
#[derive(Deserialize)]
#[serde(untagged)]
enum SecretsShape {
    Lines(SecretString),
    List(Vec<SecretString>),
}

#[derive(Default, Deserialize)]
struct LookShape {
    color: Option<String>,
    #[serde(default)]
    position: Position,
    side_px: Option<i64>,
    bottom_px: Option<i64>,
    #[serde(default)]
    theme: Theme,
    preview: Option<bool>,
    sound: Option<bool>,
    launcher: Option<TextShape>,
    greeting: Option<TextShape>,
    title: Option<TextShape>,
}

#[derive(Default, Deserialize)]
struct FilesShape {
    #[serde(default)]
    allowed: FilesAllowed,
    bytes: Option<i64>,
    count: Option<i64>,
    types: Option<Vec<String>>,
    memory_bytes: Option<i64>,
    keep_minutes: Option<i64>,
    read_timeout_seconds: Option<i64>,
    reencode_images: Option<bool>,
    image_pixels: Option<i64>,
    images_at_once: Option<i64>,
    scanner: Option<String>,
    scan_timeout_seconds: Option<i64>,
}

#[derive(Default, Deserialize)]
struct LimitsShape {
    frame_bytes: Option<i64>,
    text_length: Option<i64>,
    messages_per_minute: Option<i64>,
    message_burst: Option<i64>,
    address_messages_per_minute: Option<i64>,
    address_message_burst: Option<i64>,
    frames_per_minute: Option<i64>,
    connections: Option<i64>,
    connections_per_address: Option<i64>,
    connects_per_minute: Option<i64>,
    uploads_per_minute: Option<i64>,
    hello_timeout_seconds: Option<i64>,
    ping_seconds: Option<i64>,
    idle_seconds: Option<i64>,
    write_timeout_seconds: Option<i64>,
    conversations: Option<i64>,
    proof_of_work_bits: Option<i64>,
}

impl Config {
    /// Reads the section, or says everything that is wrong with it.
    pub(crate) fn read(settings: &Settings) -> Result<Self, Vec<Fault>> {
        let shape: Shape = settings.read(SETTINGS)?;
        let mut check = Check::new(settings);
        let topics = check.choices("topics", shape.topics);
        let config = Self {
            slug: settings.slug.clone(),
            key: check.public_key(shape.key),
            origins: check.origins(shape.origins, shape.web_views),
            web_views: shape.web_views,
            credentialless: shape.credentialless,
            locale: check.locale(shape.locale),
            cookie_days: check.whole("cookie_days", shape.cookie_days, 1, 400, 180),
            identity: check.identity(shape.identity),
            questions: check.questions(shape.prechat, &topics),
            topics,
            look: check.look(shape.look),
            files: check.files(shape.files),
            limits: check.limits(&shape.limits),
            blocked_addresses: check.networks("blocked_addresses", shape.blocked_addresses),
            trusted_proxies: check.networks("trusted_proxies", shape.trusted_proxies),
            client_ip_header: check.header(shape.client_ip_header),
        };
        if config.client_ip_header.is_some() && config.trusted_proxies.is_empty() {
            check.fault("client_ip_header", "is read from trusted proxies only; name them in `trusted_proxies`");
        }
        let least = config.limits.text_length.saturating_mul(4).saturating_add(4_096);
        if config.limits.frame_bytes < least {
            let found = config.limits.frame_bytes;
            check.fault("limits.frame_bytes", format!("found `{found}`; with this `text_length` it is at least {least}"));
        }
        if config.limits.idle_seconds <= config.limits.ping_seconds {
            check.fault("limits.idle_seconds", "must be more than `ping_seconds`");
        }
        check.finish(config)
    }

    /// Path under which the host mounts the channel.
    pub(crate) fn base_path(&self) -> String {
        format!("/channels/{}", self.slug)
    }
}

#[cfg(test)]
mod tests;
