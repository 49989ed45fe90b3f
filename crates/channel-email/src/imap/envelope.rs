//! What a mail in a folder still says of its envelope: the headers that the delivering server put on top.
//!
//! A stranger can write such headers as well. That proves nothing and gives nothing: the return path stands in only for
//! a missing `From`, and an address counts as a recipient only where the mailbox owns it, with a tag that we signed.

use crate::config::Mailbox;

/// The return path and the addresses of this mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delivered {
    /// `None` is the null sender; empty when nothing says who sent it.
    pub(super) sender: Option<String>,
    /// Every address of this mailbox that the mail was sent to.
    pub(super) recipients: Vec<String>,
}

/// Where delivering servers write whom they delivered to.
const DELIVERED_TO: [&str; 4] = ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to"];
/// How much of a mail is looked through for these headers.
const MAX_HEAD_BYTES: usize = 131_072;
/// How many own addresses are kept.
const MAX_RECIPIENTS: usize = 20;

/// Reads the headers of a mail.
pub(super) fn read(raw: &[u8], mailbox: &Mailbox) -> Delivered {
    let headers = headers(&raw[..raw.len().min(MAX_HEAD_BYTES)]);
    let value = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let sender = match value("return-path").map(|path| path.trim().trim_matches(['<', '>']).trim()) {
        Some("") => None,
        Some(path) => Some(path.to_owned()),
        None => Some(String::new()),
    };
    let owned = |names: &[&str]| {
        let values = headers.iter().filter(|(name, _)| names.contains(&name.as_str()));
        let mut own: Vec<String> = Vec::new();
        for address in values.flat_map(|(_, value)| addresses(value)) {
            if own.len() < MAX_RECIPIENTS && mailbox.owns(address) && !own.iter().any(|known| known == address) {
                own.push(address.to_owned());
            }
        }
        own
    };
    let traced = owned(&DELIVERED_TO);
    // Servers that write no such header leave what the author wrote.
    let has_tag = traced.iter().any(|address| mailbox.tag(address).is_some_and(|tag| !tag.is_empty()));
    let recipients = if has_tag { traced } else { [traced, owned(&["to", "cc"])].concat() };
    Delivered { sender, recipients }
}

/// The headers of a mail, unfolded, names in lower case.
fn headers(head: &[u8]) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let text = String::from_utf8_lossy(line);
        if text.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push(' ');
                value.push_str(text.trim());
            }
        } else if let Some((name, value)) = text.split_once(':') {
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    headers
}

fn addresses(value: &str) -> impl Iterator<Item = &str> {
    value.split(['<', '>', ',', ';', '"', '(', ')', ' ', '\t']).filter(|word| word.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::{Delivered, read};
    use crate::config::tests::config;

    #[test]
    fn the_envelope_is_what_the_delivering_server_wrote() {
        let mailbox = config("address = \"help@shop.test\"\naliases = [\"sales@shop.test\"]").mailbox;
        for (raw, sender, recipients) in [
            (
                "Return-Path: <kari@eksempel.test>\r\nDelivered-To: help+c1.x@shop.test\r\nTo: help@shop.test\r\n\r\n",
                Some("kari@eksempel.test"),
                &["help+c1.x@shop.test"][..],
            ),
            ("Return-Path: <>\r\nDelivered-To: help@shop.test\r\n\r\nTo: sales@shop.test", None, &["help@shop.test"]),
            (
                "Delivered-To: box7@provider.test\r\nTo: Help <help+c1.x@shop.test>,\r\n\tkari@eksempel.test\r\n\r\n",
                Some(""),
                &["help+c1.x@shop.test"],
            ),
            (
                "Delivered-To: sales@shop.test\nTo: \"a, b\" <help+c2.y@shop.test>\n\n",
                Some(""),
                &["sales@shop.test", "help+c2.y@shop.test"],
            ),
            ("no header at all", Some(""), &[]),
        ] {
            let wanted = Delivered {
                sender: sender.map(str::to_owned),
                recipients: recipients.iter().map(|&address| address.to_owned()).collect(),
            };
            assert_eq!(read(raw.as_bytes(), &mailbox), wanted, "{raw}");
        }
    }
}
