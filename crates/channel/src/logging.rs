//! What of the lines that libraries log may be written down. The host holds every line against this, and the testkit the
//! lines that it looks through, so that both mean the same.

/// Crates that quote what they parse or send (`html5ever` prints tags and text, `lettre` the dialogue with the mail
/// server), or that warn of each peer that breaks its protocol (`hyper`, `rustls`, `tungstenite`). What of it matters comes
/// back as an error, which our own code logs in its words.
const SILENT: &[&str] = &[
    "cookie_store",
    "cssparser",
    "h2",
    "html2text",
    "html5ever",
    "hyper",
    "lettre",
    "mail_parser",
    "markup5ever",
    "markup5ever_rcdom",
    "multer",
    "rustls",
    "selectors",
    "smtp_proto",
    "tendril",
    "tokio_rustls",
    "tokio_tungstenite",
    "tungstenite",
];

/// Whether a line of this target may be written down, whatever `log.filter` says; `is_grave` says that it is a warning or an
/// error. Our own lines may, at every level, and so they hold neither secrets nor what people wrote nor their addresses.
/// Libraries may warn, except those that handle what strangers send.
#[must_use]
pub fn may_be_logged(target: &str, is_grave: bool) -> bool {
    let origin = target.split("::").next().unwrap_or_default();
    if origin == "switchboard" || origin.starts_with("switchboard_") {
        return true;
    }
    is_grave && !SILENT.contains(&origin)
}
