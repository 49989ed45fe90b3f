//! Signed names: the plus-address and the Message-ID by which a reply finds its conversation, and the mark by
//! which our own mail is recognised.
//!
//! Each name carries 96 bits of an HMAC-SHA256 under the channel's secret, over its purpose and its numbers, so
//! a signature for one purpose says nothing about another. Names are lower case: mail systems fold case.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;
use std::fmt::Write;
use std::sync::Arc;
use switchboard_model::{ConversationId, MessageId};

/// Signs and verifies names under one channel's secret.
#[derive(Clone)]
pub(crate) struct Signer {
    secret: Arc<SecretSlice<u8>>,
}

/// Bytes of the MAC that a name carries.
const MAC_BYTES: usize = 12;
/// What our Message-IDs begin with.
const MESSAGE_ID_PREFIX: &str = "sb.c";

/// What a MAC is for; the word is part of what is signed.
#[derive(Clone, Copy)]
enum Purpose {
    ReplyAddress,
    MessageId,
    Key,
    Mark,
    Boundary,
}

impl Signer {
    /// A signer under this secret.
    pub(crate) fn new(secret: Arc<SecretSlice<u8>>) -> Self {
        Self { secret }
    }

    /// The plus-address tag of a conversation, such as `c12.0123456789abcdef01234567`.
    pub(crate) fn reply_tag(&self, conversation: ConversationId) -> String {
        format!("c{conversation}.{}", hex(&self.mac(Purpose::ReplyAddress, &conversation.to_string())))
    }

    /// The conversation that a plus-address tag names, when its signature holds.
    pub(crate) fn verify_reply_tag(&self, tag: &str) -> Option<ConversationId> {
        let (number, mac) = tag.strip_prefix(['c', 'C'])?.split_once('.')?;
        let conversation = positive(number)?;
        self.holds(Purpose::ReplyAddress, &conversation.to_string(), mac).then_some(ConversationId(conversation))
    }

    /// The Message-ID of an outgoing message, without angle brackets. The same message gets the same id, so a
    /// repeat is recognised by whoever receives it twice.
    ///
    /// `key` is what is sent once. That of the message itself (`m12`) adds nothing to the id; what is sent besides it, such
    /// as a transcript that ends with it, has another key and other content, and so an id of its own.
    pub(crate) fn message_id(&self, conversation: ConversationId, message: MessageId, key: &str, domain: &str) -> String {
        let mut signed = format!("{conversation}.{message}");
        let mut named = format!("{conversation}.m{message}");
        if key != format!("m{message}") {
            let also = hex(&self.mac(Purpose::Key, key));
            signed = format!("{signed}.{also}");
            named = format!("{named}.{also}");
        }
        let mac = hex(&self.mac(Purpose::MessageId, &signed));
        format!("{MESSAGE_ID_PREFIX}{named}.{mac}@{domain}")
    }

    /// The conversation of one of our own Message-IDs, when its signature holds; whatever its domain, because
    /// the mailbox may have moved since.
    pub(crate) fn verify_message_id(&self, id: &str) -> Option<ConversationId> {
        let (local, _domain) = id.trim().trim_start_matches('<').split_once('@')?;
        let head = local.get(..MESSAGE_ID_PREFIX.len())?;
        let rest = local.get(MESSAGE_ID_PREFIX.len()..)?;
        if !head.eq_ignore_ascii_case(MESSAGE_ID_PREFIX) {
            return None;
        }
        let mut pieces = rest.split('.');
        let conversation = positive(pieces.next()?)?;
        let message = positive(pieces.next()?.strip_prefix(['m', 'M'])?)?;
        let (third, fourth) = (pieces.next()?, pieces.next());
        let (signed, mac) = match fourth {
            None => (format!("{conversation}.{message}"), third),
            Some(mac) => (format!("{conversation}.{message}.{}", third.to_ascii_lowercase()), mac),
        };
        let unambiguous = pieces.next().is_none();
        (unambiguous && self.holds(Purpose::MessageId, &signed, mac)).then_some(ConversationId(conversation))
    }

    /// The first of our own signed Message-IDs within a text, for bounces that quote the original in prose.
    pub(crate) fn find_message_id<'t>(&self, text: &'t str) -> Option<(&'t str, ConversationId)> {
        text.match_indices(MESSAGE_ID_PREFIX).take(MAX_SEARCHED).find_map(|(start, _)| {
            let rest = &text[start..];
            let end = rest.find(|letter: char| letter == '>' || letter.is_whitespace()).unwrap_or(rest.len());
            let id = &rest[..end];
            self.verify_message_id(id).map(|conversation| (id, conversation))
        })
    }

    /// The value of our loop header, the same for every message of the channel.
    pub(crate) fn mark(&self) -> String {
        hex(&self.mac(Purpose::Mark, ""))
    }

    /// Whether a loop header is ours.
    pub(crate) fn is_mark(&self, value: &str) -> bool {
        self.holds(Purpose::Mark, "", value.trim())
    }

    /// A MIME boundary that nobody who writes into a message can foresee, the same on every attempt.
    pub(crate) fn boundary(&self, key: &str, nth: usize) -> String {
        format!("=_sb_{nth}_{}", hex(&self.mac(Purpose::Boundary, key)))
    }

    fn mac(&self, purpose: Purpose, data: &str) -> [u8; MAC_BYTES] {
        let full = self.keyed(purpose, data).finalize().into_bytes();
        let mut short = [0; MAC_BYTES];
        short.copy_from_slice(&full[..MAC_BYTES]);
        short
    }

    fn holds(&self, purpose: Purpose, data: &str, claimed: &str) -> bool {
        unhex(claimed).is_some_and(|mac| self.keyed(purpose, data).verify_truncated_left(&mac).is_ok())
    }

    fn keyed(&self, purpose: Purpose, data: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret()).expect("HMAC takes keys of any length");
        let word = match purpose {
            Purpose::ReplyAddress => "reply-address",
            Purpose::MessageId => "message-id",
            Purpose::Key => "key",
            Purpose::Mark => "mark",
            Purpose::Boundary => "boundary",
        };
        mac.update(b"switchboard/email/1/");
        mac.update(word.as_bytes());
        mac.update(&[0]);
        mac.update(data.as_bytes());
        mac
    }
}

/// How many candidates are looked at in one text.
const MAX_SEARCHED: usize = 100;

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; MAC_BYTES]> {
    if text.len() != MAC_BYTES * 2 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; MAC_BYTES];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// A positive number in plain decimal; `+1` and `01` are no second spelling of it.
fn positive(text: &str) -> Option<i64> {
    let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::Signer;
    use proptest::prelude::{prop_assert_eq, proptest};
    use std::sync::Arc;
    use switchboard_model::{ConversationId, MessageId};

    fn signer(byte: u8) -> Signer {
        Signer::new(Arc::new(vec![byte; 32].into()))
    }

    #[test]
    fn names_verify_under_their_own_secret_only_and_survive_a_change_of_case() {
        let (ours, theirs) = (signer(1), signer(2));
        let tag = ours.reply_tag(ConversationId(12));
        let id = ours.message_id(ConversationId(12), MessageId(34), "m34", "shop.test");
        assert_eq!(ours.verify_reply_tag(&tag.to_uppercase()), Some(ConversationId(12)));
        assert_eq!(ours.verify_message_id(&id), Some(ConversationId(12)));
        assert_eq!(ours.verify_message_id(&id.replace("shop.test", "elsewhere.test")), Some(ConversationId(12)));
        assert_eq!(ours.verify_message_id(&id.to_uppercase()), Some(ConversationId(12)));
        assert_eq!(theirs.verify_reply_tag(&tag), None);
        assert_eq!(theirs.verify_message_id(&id), None);
        assert!(ours.is_mark(&ours.mark()) && !theirs.is_mark(&ours.mark()));
    }

    #[test]
    fn a_signature_for_one_purpose_or_number_does_not_serve_another() {
        let ours = signer(1);
        let tag_mac = ours.reply_tag(ConversationId(12)).split_once('.').expect("a dot").1.to_owned();
        assert_eq!(ours.verify_message_id(&format!("sb.c12.m12.{tag_mac}@shop.test")), None);
        assert_eq!(ours.verify_reply_tag(&format!("c13.{tag_mac}")), None);
        assert_eq!(ours.verify_reply_tag(&format!("c+12.{tag_mac}")), None);
        assert_eq!(ours.verify_reply_tag(&format!("c012.{tag_mac}")), None);
        assert!(!ours.is_mark(&tag_mac));
    }

    #[test]
    fn what_is_sent_besides_a_message_has_an_id_of_its_own_that_leads_to_the_same_conversation() {
        let ours = signer(1);
        let id = |key: &str| ours.message_id(ConversationId(5), MessageId(6), key, "shop.test");
        let (transcript, again, unread, own) = (id("transcript-6"), id("transcript-6"), id("unread-6"), id("m6"));
        assert_eq!(transcript, again);
        assert!(transcript != unread && transcript != own && unread != own);
        for id in [&transcript, &unread, &own, &transcript.to_uppercase()] {
            assert_eq!(ours.verify_message_id(id), Some(ConversationId(5)), "{id}");
        }
        let mac = |id: &str| id.split(['.', '@']).rev().nth(2).expect("a signature").to_owned();
        assert_eq!(ours.verify_message_id(&transcript.replace(&mac(&transcript), &mac(&unread))), None);
        assert_eq!(signer(2).verify_message_id(&transcript), None);
        assert_eq!(ours.find_message_id(&format!("<{transcript}>")), Some((transcript.as_str(), ConversationId(5))));
    }

    #[test]
    fn an_id_is_found_in_prose() {
        let ours = signer(1);
        let id = ours.message_id(ConversationId(5), MessageId(6), "m6", "shop.test");
        let text = format!("sb.c1.m1.000000000000000000000000@x\nMessage-ID: <{id}>\nSubject: hello");
        assert_eq!(ours.find_message_id(&text), Some((id.as_str(), ConversationId(5))));
    }

    proptest! {
        #[test]
        fn whatever_is_not_signed_does_not_verify(text in "\\PC{0,80}", mac in "[0-9a-f]{24}", number in 1_i64..1_000_000) {
            let ours = signer(3);
            prop_assert_eq!(ours.verify_reply_tag(&text), None);
            prop_assert_eq!(ours.verify_message_id(&text), None);
            prop_assert_eq!(ours.verify_reply_tag(&format!("c{number}.{mac}")), None);
            prop_assert_eq!(ours.verify_message_id(&format!("sb.c{number}.m{number}.{mac}@shop.test")), None);
        }
    }
}
