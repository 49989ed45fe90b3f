//! What `[channels.SLUG]` of kind `form` may hold, read with every fault collected.

mod docs;
mod field;
mod reader;

pub(crate) use docs::SETTINGS;
pub(crate) use field::{Accept, Bounds, Field, Kind, Role};

use crate::language::{Text, well_formed};
use crate::limits::is_origin;
use ipnet::IpNet;
use reader::Reader;
use std::net::IpAddr;
use switchboard_channel::Settings;
use switchboard_model::Fault;

/// Names of the form's own hidden fields, which declared fields must leave alone: the page's nonce, the
/// language of the page, and the key of a submission.
pub(crate) const TOKEN_FIELD: &str = "form_token";
/// See [`TOKEN_FIELD`].
pub(crate) const LANGUAGE_FIELD: &str = "form_language";
/// See [`TOKEN_FIELD`].
pub(crate) const KEY_FIELD: &str = "submission_id";

/// One form as configured.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) slug: String,
    pub(crate) title: Text,
    pub(crate) intro: Option<Text>,
    pub(crate) thanks: Option<Text>,
    pub(crate) submit_label: Option<Text>,
    pub(crate) fields: Vec<Field>,
    /// Where browsers go after success; an http or https address.
    pub(crate) redirect: Option<String>,
    /// Origins of other sites whose scripts may submit; when there are any, plain forms elsewhere may not.
    pub(crate) origins: Vec<String>,
    /// Empty when there is none.
    pub(crate) honeypot: String,
    /// Language tag of whoever says nothing else.
    pub(crate) language: String,
    pub(crate) limits: Limits,
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Header that a trusted proxy names the client in, in lower case.
    pub(crate) client_ip_header: Option<String>,
}

/// What one submission and one client may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) body_bytes: usize,
    pub(crate) parts: usize,
    pub(crate) read_timeout_seconds: u64,
    pub(crate) concurrent: usize,
    /// 0 switches the limit off.
    pub(crate) rate_per_minute: u32,
    pub(crate) burst: u32,
    /// 0 switches the time trap off.
    pub(crate) min_seconds: u32,
}

impl Form {
    /// Reads the section, or says everything that is wrong with it.
    pub(crate) fn read(settings: &Settings) -> Result<Self, Vec<Fault>> {
        let mut faults = settings.read::<toml::Table>(SETTINGS).err().unwrap_or_default();
        let mut reader = Reader::new(&settings.table, settings.key(""), &mut faults);
        let limits = Limits::read(&mut reader);
        let honeypot = read_honeypot(&mut reader);
        let form = Self {
            slug: settings.slug.clone(),
            title: reader.text("title").unwrap_or_else(|| Text::Plain(settings.slug.clone())),
            intro: reader.text("intro"),
            thanks: reader.text("thanks"),
            submit_label: reader.text("submit_label"),
            fields: field::read_all(&mut reader, limits.body_bytes, &honeypot),
            redirect: read_redirect(&mut reader),
            origins: read_origins(&mut reader),
            honeypot,
            language: read_language(&mut reader),
            limits,
            trusted_proxies: read_proxies(&mut reader),
            client_ip_header: read_client_ip_header(&mut reader),
        };
        if form.client_ip_header.is_some() && form.trusted_proxies.is_empty() {
            reader.fault("client_ip_header", "is read from trusted proxies only; name them in `trusted_proxies`");
        }
        if faults.is_empty() { Ok(form) } else { Err(faults) }
    }

    /// Path under which the host mounts the channel.
    pub(crate) fn base_path(&self) -> String {
        format!("/channels/{}", self.slug)
    }

    /// The declared field with this name, with its place.
    pub(crate) fn field(&self, name: &str) -> Option<(usize, &Field)> {
        self.fields.iter().enumerate().find(|(_, field)| field.name == name)
    }

    /// Whether some field takes files.
    pub(crate) fn takes_files(&self) -> bool {
        self.fields.iter().any(|field| field.kind == Kind::File)
    }
}

impl Limits {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            body_bytes: reader.whole("max_body_bytes", 1_024, 1_073_741_824, 10_485_760),
            parts: reader.whole("max_parts", 1, 10_000, 200),
            read_timeout_seconds: reader.whole("read_timeout_seconds", 1, 3_600, 60),
            concurrent: reader.whole("max_concurrent", 1, 10_000, 64),
            rate_per_minute: reader.whole("rate_per_minute", 0, 1_000_000, 20),
            burst: reader.whole("burst", 1, 1_000_000, 10),
            min_seconds: reader.whole("min_seconds", 0, 3_600, 2),
        }
    }
}

fn read_honeypot(reader: &mut Reader<'_>) -> String {
    let name = reader.string("honeypot").unwrap_or_else(|| "website".to_owned());
    if name.len() > 64 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
        reader.fault("honeypot", &format!("found `{name}`; it is at most 64 letters, digits, _ and -"));
    }
    name
}

fn read_redirect(reader: &mut Reader<'_>) -> Option<String> {
    let address = reader.string("redirect").filter(|address| !address.is_empty())?;
    let uri = address.parse::<http::Uri>().ok();
    let scheme = uri.as_ref().and_then(http::Uri::scheme_str);
    let fits = matches!(scheme, Some("http" | "https")) && uri.as_ref().is_some_and(|uri| uri.authority().is_some());
    if !fits {
        reader.fault("redirect", &format!("found `{address}`; it is a full address that starts with http:// or https://"));
    }
    fits.then_some(address)
}

fn read_origins(reader: &mut Reader<'_>) -> Vec<String> {
    let mut origins = Vec::new();
    for origin in reader.strings("origins") {
        if is_origin(&origin) {
            origins.push(origin.to_ascii_lowercase());
        } else {
            let hint = "an origin is scheme, host and port without a path, such as https://www.example.org";
            reader.fault("origins", &format!("found `{origin}`; {hint}"));
        }
    }
    origins
}

fn read_language(reader: &mut Reader<'_>) -> String {
    let Some(tag) = reader.string("language") else { return "en".to_owned() };
    if well_formed(&tag).is_none() {
        reader.fault("language", &format!("found `{tag}`; it is a language tag such as en, nl, nb or da"));
    }
    tag
}

fn read_proxies(reader: &mut Reader<'_>) -> Vec<IpNet> {
    let mut proxies = Vec::new();
    for entry in reader.strings("trusted_proxies") {
        match entry.parse::<IpNet>().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from)) {
            Ok(network) => proxies.push(network),
            Err(_) => {
                let hint = "it is an address or a network, such as 10.0.0.5 or 10.0.0.0/8";
                reader.fault("trusted_proxies", &format!("found `{entry}`; {hint}"));
            }
        }
    }
    proxies
}

fn read_client_ip_header(reader: &mut Reader<'_>) -> Option<String> {
    let header = reader.string("client_ip_header").filter(|header| !header.is_empty())?;
    match header.parse::<http::HeaderName>() {
        Ok(name) => Some(name.as_str().to_owned()),
        Err(_) => {
            reader.fault("client_ip_header", &format!("found `{header}`; it is a header name such as x-forwarded-for"));
            None
        }
    }
}

#[cfg(test)]
mod tests;
