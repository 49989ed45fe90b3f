//! Encoding: what goes out, and that it reads back as it was meant.

use super::{encode, is_reply};
use crate::config::{Config, tests::config};
use crate::token::Signer;
use bytes::Bytes;
use mail_parser::{HeaderName, MessageParser, MimeHeaders, PartType};
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use std::sync::Arc;
use switchboard_channel::{ErrorKind, Retry};
use switchboard_channel_testkit::contract::outbound;
use switchboard_model::{Address, Attachment, ConversationId, Identity, OutboundMessage};

fn signer() -> Signer {
    Signer::new(Arc::new((0_u8..32).collect::<Vec<u8>>().into()))
}

fn mailbox(more: &str) -> Config {
    config(&format!("address = \"support@shop.test\"\n{more}"))
}

fn answer() -> OutboundMessage {
    let mut message = outbound("mail", Identity::email("kari@eksempel.test"));
    message.to = vec![Address { name: Some("Kari Ødegård".to_owned()), address: "kari@eksempel.test".to_owned() }];
    message.subject = Some("Pakke 8841".to_owned());
    message.references = vec!["a1@eksempel.test".to_owned(), "q1@eksempel.test".to_owned()];
    message
}

fn written(message: &OutboundMessage, config: &Config) -> String {
    let encoded = encode(message, config, &signer()).expect("a message that can be sent");
    String::from_utf8(encoded.bytes).expect("ASCII mail")
}

#[test]
fn an_answer_carries_everything_that_its_reply_needs() {
    insta::assert_snapshot!(written(&answer(), &mailbox("name = \"Nordlys Shop\"")).replace('\r', ""), @r#"
    Message-ID: <sb.c3.m7.2b6a26db2a43f78f76bb558e@shop.test>
    Date: Sat, 21 Nov 2026 12:00:00 +0000
    From: =?utf-8?b?UGlhIEJlcmcgKE5vcmRseXMgU2hvcCk=?= <support@shop.test>
    Subject: Re: Pakke 8841
    X-Switchboard: cddd9ca2d0beee9ab9f4e336
    To: =?utf-8?b?S2FyaSDDmGRlZ8OlcmQ=?= <kari@eksempel.test>
    Reply-To: "Nordlys Shop" <support+c3.51a73689f89383104e094bca@shop.test>
    In-Reply-To: <q1@eksempel.test>
    References: <a1@eksempel.test> <q1@eksempel.test>
    MIME-Version: 1.0
    Content-Type: text/plain; charset=utf-8
    Content-Transfer-Encoding: 7bit

    Your parcel left our warehouse this morning.
    "#);
}

#[test]
fn the_same_message_gives_the_same_bytes() {
    let mut message = answer();
    message.html = Some("<p>Hi <img src=\"cid:logo\"></p>".to_owned());
    message.attachments = vec![file("logo.png", "image/png", Some("logo")), file("a.pdf", "application/pdf", None)];
    assert_eq!(written(&message, &mailbox("")), written(&message, &mailbox("")));
}

fn file(name: &str, content_type: &str, content_id: Option<&str>) -> Attachment {
    Attachment {
        name: name.to_owned(),
        content_type: content_type.to_owned(),
        content_id: content_id.map(str::to_owned),
        bytes: Bytes::from_static(b"\x89PNG\r\n.\r\n"),
    }
}

#[test]
fn text_html_and_files_read_back_as_they_were() {
    let mut message = answer();
    message.text = "Hei Kari,\n\n.prikk først\nblåbær".to_owned();
    message.html = Some("<p>Hei <img src=\"cid:logo@shop.test\"></p>".to_owned());
    message.attachments = vec![
        file("logo.png", "image/png", Some("logo@shop.test")),
        file("../Kvittering på kjøp.pdf", "application/pdf", None),
        file("old.eml", "message/rfc822", None),
        file("x", "no type\r\nX-Evil: 1", None),
    ];
    let mail = written(&message, &mailbox(""));
    let parsed = MessageParser::default().parse(mail.as_bytes()).expect("a mail");
    assert_eq!(parsed.body_text(0).expect("text").replace("\r\n", "\n"), message.text);
    assert_eq!(parsed.body_html(0).expect("HTML"), message.html.expect("HTML"));
    let files: Vec<_> = parsed.attachments().collect();
    assert_eq!(files.len(), 4);
    assert!(files.iter().all(|file| matches!(&file.body, PartType::Binary(bytes) | PartType::InlineBinary(bytes) if bytes.as_ref() == b"\x89PNG\r\n.\r\n")));
    assert_eq!(files[0].content_id(), Some("logo@shop.test"));
    assert_eq!(files[1].attachment_name(), Some("Kvittering på kjøp.pdf"));
    assert!(files[2].is_content_type("application", "octet-stream") && files[3].is_content_type("application", "octet-stream"));
    assert!(!mail.contains("X-Evil"));
}

#[test]
fn a_subject_gets_its_prefix_once_and_only_in_answers() {
    for (subject, expected) in [
        ("Pakke", "Re: Pakke"),
        ("Re: Pakke", "Re: Pakke"),
        ("RE[2]: Pakke", "RE[2]: Pakke"),
        ("SV: Pakke", "SV: Pakke"),
        ("Antw: Pakket", "Antw: Pakket"),
        ("AW: Paket", "AW: Paket"),
        ("Vs: Paketti", "Vs: Paketti"),
        ("Regarding: Pakke", "Re: Regarding: Pakke"),
        ("", "Re:"),
    ] {
        let mut message = answer();
        message.subject = Some(subject.to_owned());
        assert_eq!(super::subject(&message), expected);
        message.references.clear();
        assert_eq!(super::subject(&message), subject);
    }
    assert!(!is_reply("no colon"));
}

#[test]
fn the_sender_is_named_after_author_and_mailbox() {
    let from = |author: Option<&str>, more: &str| {
        let mut message = answer();
        message.author = author.map(str::to_owned);
        let mail = written(&message, &mailbox(more));
        mail.lines().find(|line| line.starts_with("From:")).expect("a From").to_owned()
    };
    assert_eq!(from(Some("Pia Berg"), ""), "From: \"Pia Berg\" <support@shop.test>");
    assert_eq!(from(None, "name = \"Shop\""), "From: Shop <support@shop.test>");
    assert_eq!(from(None, ""), "From: support@shop.test");
    assert_eq!(from(Some("P\r\nBcc: all@x.test"), ""), "From: =?utf-8?b?UCBCY2M6IGFsbEB4LnRlc3Q=?= <support@shop.test>");
}

#[test]
fn without_plus_addresses_there_is_no_reply_to() {
    assert!(!written(&answer(), &mailbox("reply_token = false")).contains("\r\nReply-To:"));
    let long = config(&format!("address = \"{}@shop.test\"", "x".repeat(60)));
    assert!(!written(&answer(), &long).contains("\r\nReply-To:"), "the tag does not fit into a local part");
}

#[test]
fn many_references_keep_the_first_and_the_last() {
    let mut message = answer();
    message.references = (0..200).map(|nth| format!("<r{nth}@a.test>")).collect();
    message.references.push("bad id\r\nX-Evil: 1".to_owned());
    let mail = written(&message, &mailbox(""));
    let parsed = MessageParser::default().parse(mail.as_bytes()).expect("a mail");
    let ids = parsed.header(HeaderName::References).and_then(|ids| ids.as_text_list()).expect("references");
    assert_eq!((ids.len(), ids[0].as_ref(), ids[1].as_ref(), ids[19].as_ref()), (20, "r0@a.test", "r181@a.test", "r199@a.test"));
    assert!(mail.contains("In-Reply-To: <r199@a.test>\r\n") && !mail.contains("X-Evil"));
}

#[test]
fn without_recipients_it_goes_to_the_identity_and_nonsense_goes_nowhere() {
    let mut message = answer();
    message.to.clear();
    assert!(written(&message, &mailbox("")).contains("To: kari@eksempel.test\r\n"));
    message.identity.value = "not an address".to_owned();
    let Err(error) = encode(&message, &mailbox(""), &signer()) else { panic!("nonsense was encoded") };
    assert_eq!((error.kind, error.retry), (ErrorKind::Rejected, Retry::Never));
    assert!(!error.to_string().contains("not an address"));
}

#[test]
fn a_reply_to_our_mail_finds_its_conversation() {
    let mail = written(&answer(), &mailbox(""));
    let parsed = MessageParser::default().parse(mail.as_bytes()).expect("a mail");
    assert_eq!(signer().verify_message_id(parsed.message_id().expect("an id")), Some(ConversationId(3)));
    let reply_to = parsed.reply_to().and_then(|list| list.first()).and_then(|to| to.address()).expect("a Reply-To");
    let tag = mailbox("").mailbox.tag(reply_to).expect("our own address");
    assert_eq!(signer().verify_reply_tag(&tag), Some(ConversationId(3)));
}

proptest! {
    #[test]
    fn nothing_written_into_a_field_becomes_a_header(text in "[\\PC\r\n\u{0}\u{85}\u{2028}:]{0,80}") {
        let mut message = answer();
        message.subject = Some(format!("{text}\r\nX-Evil: 1"));
        message.author = Some(format!("{text}\nX-Evil: 1"));
        message.to[0].name = Some(format!("{text}\rX-Evil: 1"));
        message.references.push(format!("{text}\r\nX-Evil: 1"));
        message.attachments = vec![file(&format!("{text}\r\nX-Evil: 1"), &format!("text/plain; name={text}\r\nX-Evil: 1"), Some(&format!("{text}\r\nX-Evil: 1")))];
        message.text = text.clone();
        let mail = written(&message, &mailbox("name = \"Shop\""));
        let parsed = MessageParser::default().parse(mail.as_bytes()).expect("a mail");
        for part in &parsed.parts {
            prop_assert!(part.headers.iter().all(|header| !header.name.as_str().eq_ignore_ascii_case("X-Evil")));
        }
        prop_assert_eq!(parsed.headers().iter().filter(|header| header.name == HeaderName::From).count(), 1);
        prop_assert_eq!(parsed.parts.len(), 3);
    }
}
