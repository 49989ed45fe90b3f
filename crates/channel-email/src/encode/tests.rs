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
    message.key = String::from("m7");
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
    Content-Type: text/plain; charset=utf-8; format=flowed
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

#[test]
fn a_mail_beside_the_answer_has_another_message_id() {
    let id = |key: &str| {
        let message = OutboundMessage { key: key.to_owned(), ..answer() };
        encode(&message, &mailbox(""), &signer()).expect("a message that can be sent").reference
    };
    assert_eq!(id("m7"), "sb.c3.m7.2b6a26db2a43f78f76bb558e@shop.test", "that of an answer has always been this");
    assert!(id("transcript-7") != id("m7") && id("transcript-7") != id("unread-7"));
    assert_eq!(id("transcript-7"), id("transcript-7"));
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
    assert_eq!(crate::flowed::unflow(&parsed.body_text(0).expect("text"), false), message.text);
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

fn lines_of(mail: &str, name: &str) -> Vec<String> {
    let unfolded = mail.replace("\r\n ", " ").replace("\r\n\t", " ");
    unfolded.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
}

#[test]
fn hidden_copies_are_told_to_the_server_alone_and_nobody_gets_two() {
    let person = |address: &str| Address { name: None, address: address.to_owned() };
    let mut message = answer();
    message.cc = vec![person("KARI@eksempel.test"), person("copy@eksempel.test")];
    message.bcc = vec![person("quiet@shop.test"), person("copy@eksempel.test")];
    let encoded = encode(&message, &mailbox(""), &signer()).expect("a message that can be sent");
    let to: Vec<String> = encoded.to.iter().map(ToString::to_string).collect();
    assert_eq!(to, ["kari@eksempel.test", "copy@eksempel.test", "quiet@shop.test"]);
    let mail = String::from_utf8(encoded.bytes.clone()).expect("ASCII mail");
    assert!(!mail.contains("quiet") && !mail.to_lowercase().contains("bcc"), "{mail}");
    message.only = vec!["Quiet@shop.test".to_owned()];
    let again = encode(&message, &mailbox(""), &signer()).expect("a message that can be sent");
    assert_eq!(again.to.iter().map(ToString::to_string).collect::<Vec<_>>(), ["quiet@shop.test"]);
    assert!(again.bytes == encoded.bytes, "who is left changes nothing in the mail");
    message.only = vec!["nobody@shop.test".to_owned()];
    assert!(encode(&message, &mailbox(""), &signer()).is_err());
}

#[test]
fn domains_are_written_in_ascii_and_local_parts_beyond_it_are_noted() {
    let mut message = answer();
    message.to = vec![Address { name: None, address: "kari@blåbær.test".to_owned() }];
    let encoded = encode(&message, &mailbox(""), &signer()).expect("a message that can be sent");
    assert_eq!((encoded.to[0].to_string().as_str(), encoded.needs_utf8), ("kari@xn--blbr-roah.test", false));
    message.to = vec![Address { name: None, address: "kåre@blåbær.test".to_owned() }];
    let encoded = encode(&message, &mailbox(""), &signer()).expect("a message that can be sent");
    assert_eq!((encoded.to[0].to_string().as_str(), encoded.needs_utf8), ("kåre@xn--blbr-roah.test", true));
    let mailbox = config("address = \"post@blåbær.test\"");
    let mail = written(&answer(), &mailbox);
    assert_eq!(lines_of(&mail, "From:"), ["From: \"Pia Berg\" <post@xn--blbr-roah.test>"]);
    for wrong in ["a b@x.test", "a\r\nRCPT TO:<b@x.test>@x.test", "@x.test", "a@", "a@x..test"] {
        message.to = vec![Address { name: None, address: wrong.to_owned() }];
        assert!(encode(&message, &mailbox, &signer()).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_signature_stands_below_in_the_language_of_the_contact() {
    let mailbox = mailbox(
        "name = \"Shop\"\nsignature = \"Regards,\\n{agent}\\n{mailbox}\"\n[languages.nb]\nsignature_html = \"<p>Hilsen {agent_first_name} & {address}</p>\"\nname = \"Butikk\"",
    );
    let mut message = answer();
    message.author = Some("Pia <b>{mailbox}".to_owned());
    let text = |message: &OutboundMessage| {
        let mail = written(message, &mailbox);
        let parsed = MessageParser::default().parse(mail.as_bytes()).expect("a mail");
        let html = parsed
            .html_bodies()
            .find(|part| matches!(part.body, PartType::Html(_)))
            .map(|part| part.text_contents().expect("HTML").to_owned());
        (crate::flowed::unflow(&parsed.body_text(0).expect("text"), false), html)
    };
    let (plain, html) = text(&message);
    assert_eq!(
        (plain.as_str(), html),
        ("Your parcel left our warehouse this morning.\n\n-- \nRegards,\nPia <b>{mailbox}\nShop", None)
    );
    message.author = None;
    assert!(text(&message).0.ends_with("-- \nRegards,\nShop"), "no line for nobody");

    (message.language, message.author) = (Some("nn".to_owned()), Some("Pia <i>".to_owned()));
    message.text = "Hei & <hopp>\n\nHa det".to_owned();
    let (plain, html) = text(&message);
    assert_eq!(plain, "Hei & <hopp>\n\nHa det\n\n-- \nHilsen Pia & support@shop.test");
    let html = html.expect("both alternatives").replace("\r\n", "\n");
    assert_eq!(
        html,
        "<p>Hei &amp; &lt;hopp&gt;</p>\n<p>Ha det</p>\n<div class=\"signature\"><p>Hilsen Pia & support@shop.test</p></div>\n"
    );
    let mail = written(&message, &mailbox);
    let parsed = MessageParser::default().parse(mail.as_bytes()).expect("a mail");
    let from = parsed.from().and_then(|list| list.first()).and_then(|from| from.name()).expect("a name");
    assert_eq!(from, "Pia <i> (Butikk)");
    message.automatic = true;
    assert_eq!(text(&message).0, message.text, "notices bear no signature");
}

#[test]
fn the_sender_is_shown_as_the_mailbox_wants() {
    for (sender, shown) in [("agent", "\"Pia Berg\""), ("mailbox", "Shop")] {
        let mail = written(&answer(), &mailbox(&format!("name = \"Shop\"\nsender = \"{sender}\"")));
        assert_eq!(lines_of(&mail, "From:"), [format!("From: {shown} <support@shop.test>")]);
    }
}

#[test]
fn long_headers_are_folded_and_no_line_is_longer_than_a_server_takes() {
    let mut message = answer();
    message.subject = Some("Å ".repeat(300));
    message.to[0].name = Some("Ødegård ".repeat(60));
    message.text = format!("{}\n.{}\nshort", "x".repeat(3_000), "æ".repeat(2_000));
    message.html = Some(format!("<p>{}</p>", "y".repeat(3_000)));
    let mail = written(&message, &mailbox(""));
    assert!(mail.lines().all(|line| line.len() <= 998), "{mail}");
    let headers = mail.split("\r\n\r\n").next().expect("headers");
    assert!(headers.lines().all(|line| line.len() <= 100), "{headers}");
    let parsed = MessageParser::default().parse(mail.as_bytes()).expect("a mail");
    assert_eq!(crate::flowed::unflow(&parsed.body_text(0).expect("text"), false), message.text);
    assert_eq!(parsed.subject().expect("a subject").chars().filter(|letter| *letter == 'Å').count(), 125);
}

#[test]
fn text_files_arrive_with_their_own_line_ends() {
    let mut message = answer();
    let bytes = Bytes::from_static(b"one\ntwo\r\nthree\r\x00");
    message.attachments = vec![Attachment { bytes: bytes.clone(), ..file("a.txt", "text/plain", None) }];
    let mail = written(&message, &mailbox(""));
    let parsed = MessageParser::default().parse(mail.as_bytes()).expect("a mail");
    assert_eq!(parsed.attachments().next().expect("a file").contents(), bytes);
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
