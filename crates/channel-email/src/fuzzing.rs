//! What the fuzz targets of `fuzz/` run, and the test that replays their corpus. No interface for anybody else.

use crate::config::{AuthenticationConfig, Mailbox};
use crate::decode::{self, Envelope, Receiving};
use crate::token::Signer;
use bytes::Bytes;
use std::sync::Arc;
use switchboard_model::Timestamp;

/// Reads any bytes as a mail, twice.
///
/// # Panics
/// When the mail is not kept whole, is read differently the second time, or claims a conversation that nobody signed for.
pub fn mail(bytes: &[u8]) {
    let authentication = AuthenticationConfig { trust: vec![String::from("mx.shop.test")], ..AuthenticationConfig::default() };
    let mailbox = Mailbox {
        slug: String::from("fuzz"),
        address: String::from("support@shop.test"),
        accepted: vec![String::from("support@shop.test")],
        authentication,
    };
    let signer = Signer::new(Arc::new(vec![7; 32].into()));
    let raw = Bytes::copy_from_slice(bytes);
    let recipients = [String::from("support@shop.test")];
    let envelope = Envelope { sender: Some("kari@eksempel.test"), recipients: &recipients };
    let read = || decode::decode(&raw, envelope, Receiving { mailbox: &mailbox, signer: &signer }, Timestamp(1_795_258_800_000));
    let message = read();
    assert!(message.raw.as_ref().is_some_and(|kept| kept.bytes == raw), "the mail is kept as it came");
    assert!(!message.text.contains('\0'), "what is stored has no NUL");
    assert_eq!(message.thread.conversation, None, "nobody has signed anything");
    let lines = message.text.split('\n').count();
    assert!(message.details.folded_from.is_none_or(|from| (from as usize) < lines), "what is folded is there");
    assert!(read() == message, "the same bytes are the same message");
}

/// Unpacks any bytes as TNEF.
///
/// # Panics
/// When more comes out than went in.
pub fn tnef(bytes: &[u8]) {
    let packed = Bytes::copy_from_slice(bytes);
    let found = crate::tnef::unpack(&packed).unwrap_or_default();
    let unpacked: usize = found.files.iter().map(|file| file.bytes.len()).sum();
    assert!(unpacked <= bytes.len(), "files are pieces of what was packed");
}
