//! Decoding: one snapshot per fixture, and what must hold for any bytes at all.

use super::{Envelope, Receiving, decode, decode_checked};
use crate::config::{Mailbox, tests::config};
use crate::token::Signer;
use bytes::Bytes;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};
use switchboard_channel_testkit::{ManualClock, contract::message_is_sound, fixtures};
use switchboard_model::{Authentication, CheckResult, ConversationId, InboundMessage, MessageId, Nature, Proof};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

fn mailbox() -> Mailbox {
    config("address = \"support@shop.test\"\naliases = [\"help@shop.test\"]").mailbox
}

fn signer() -> Signer {
    Signer::new(Arc::new((0_u8..32).collect::<Vec<u8>>().into()))
}

pub(super) fn read_as(raw: impl Into<Vec<u8>>, sender: Option<&str>, recipients: &[String]) -> InboundMessage {
    let (mailbox, signer) = (mailbox(), signer());
    let receiving = Receiving { mailbox: &mailbox, signer: &signer };
    decode(&Bytes::from(raw.into()), Envelope { sender, recipients }, receiving, ManualClock::START)
}

fn read(raw: impl Into<Vec<u8>>) -> InboundMessage {
    read_as(raw, Some("envelope@eksempel.test"), &[String::from("support@shop.test")])
}

/// A message as text for a snapshot, the absent parts left out.
fn shown(message: &InboundMessage) -> String {
    let mut shown = format!("nature: {}\nid: {}\n", message.nature, message.external_id);
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            writeln!(shown, "{name}: {value}").expect("writing to a string");
        }
    };
    line("sent_at", message.sent_at.map(|at| at.0.to_string()));
    let proof = if message.sender.proof == Proof::Channel { "" } else { " (typed)" };
    line("sender", Some(format!("{} {:?}{proof}", message.sender.identity.value, message.sender.name)));
    line("own_reference", message.thread.own_reference.clone());
    line("references", Some(message.thread.references.join(" ")));
    line(
        "recipients",
        Some(message.recipients.iter().map(|to| format!("{} {:?}", to.address, to.name)).collect::<Vec<_>>().join(", ")),
    );
    line("language", message.language.clone());
    line("subject", message.subject.clone());
    for file in &message.attachments {
        line("file", Some(format!("{:?} {} {:?} {:?}", file.name, file.content_type, file.content_id, file.bytes)));
    }
    line("html", message.html.clone());
    let details = &message.details;
    line("folded from line", details.folded_from.map(|from| from.to_string()));
    line("authentication", details.authentication.as_ref().map(|found| format!("{found:?}")));
    line("failure", details.failure.as_ref().map(|failure| format!("{} ({:?})", failure.summary(), failure.status)));
    line(
        "invitation",
        details.invitation.as_ref().map(|event| {
            let (what, at) = (event.summary.as_deref(), event.starts.as_deref());
            format!("{} {what:?} {at:?} {:?} {:?}", event.method, event.zone, event.location)
        }),
    );
    writeln!(shown, "text:\n{}", message.text).expect("writing to a string");
    shown
}

#[test]
fn every_fixture_reads_as_its_snapshot_says() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("{FOLDER}/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for fixture in fixtures(FOLDER, "eml") {
            let message = read(fixture.bytes);
            message_is_sound("mail", &message);
            insta::assert_snapshot!(fixture.name.clone(), shown(&message));
        }
    });
}

#[test]
fn every_fixture_keeps_its_bytes_and_reads_the_same_again() {
    for fixture in fixtures(FOLDER, "eml") {
        let (once, again) = (read(fixture.bytes.clone()), read(fixture.bytes.clone()));
        assert!(once == again, "{}", fixture.name);
        assert_eq!(once.raw.expect("the raw mail").bytes, fixture.bytes, "{}", fixture.name);
    }
}

#[test]
fn a_second_delivery_over_another_way_is_the_same_mail() {
    let mail = "Message-ID: <1@a.test>\r\nFrom: a@a.test\r\nSubject: long\r\n subject\r\n\r\nbody\r\n";
    let other_way = format!(
        "Received: from x\r\nX-Scanner: ok\r\nDelivered-To: help@shop.test\r\n{}",
        mail.replace("\r\n subject", " subject")
    );
    let unix = mail.replace("\r\n", "\n") + "\n\n";
    assert_eq!(read(mail).external_id, read(other_way).external_id);
    assert_eq!(read(mail).external_id, read(unix).external_id);
}

#[test]
fn two_mails_with_one_message_id_are_two() {
    let mail = "Message-ID: <1@a.test>\nFrom: a@a.test\nSubject: s\n\nbody one\n";
    for other in [mail.replace("one", "two"), mail.replace("Subject: s", "Subject: t"), mail.replace("From: a", "From: b")] {
        assert_ne!(read(mail).external_id, read(other.clone()).external_id, "{other}");
    }
}

#[test]
fn without_a_message_id_only_the_same_bytes_are_the_same_mail() {
    let mail = "From: a@a.test\nSubject: alarm\n\nit rings\n";
    assert_eq!(read(mail).external_id, read(mail).external_id);
    assert_ne!(read(mail).external_id, read(format!("Received: later\n{mail}")).external_id);
}

#[test]
fn a_signed_plus_address_names_its_conversation() {
    let tag = signer().reply_tag(ConversationId(42));
    let to = |address: String| read_as("From: a@a.test\nSubject: s\n\nx", None, &[String::from("help@shop.test"), address]);
    assert_eq!(to(format!("support+{tag}@shop.test")).thread.conversation, Some(ConversationId(42)));
    assert_eq!(to(format!("HELP+{}@SHOP.TEST", tag.to_uppercase())).thread.conversation, Some(ConversationId(42)));
    assert_eq!(to(format!("support+{}@shop.test", tag.replace("c42", "c43"))).thread.conversation, None);
    assert_eq!(to(format!("support+{tag}@elsewhere.test")).thread.conversation, None);
}

#[test]
fn a_plus_address_in_the_headers_alone_names_nothing() {
    let tag = signer().reply_tag(ConversationId(42));
    let mail = format!("From: a@a.test\nTo: support+{tag}@shop.test\nSubject: s\n\nx");
    assert_eq!(read(mail).thread.conversation, None);
}

#[test]
fn one_of_our_message_ids_names_its_conversation_wherever_it_is_referred_to() {
    let id = signer().message_id(ConversationId(7), MessageId(9), "m9", "shop.test");
    for header in [format!("In-Reply-To: <{id}>"), format!("References: <x@a.test> <{id}>\n <y@a.test>")] {
        let message = read(format!("From: a@a.test\n{header}\n\nx"));
        assert_eq!(message.thread.conversation, Some(ConversationId(7)), "{header}");
        assert_eq!(message.nature, Nature::Message);
    }
}

#[test]
fn references_come_nearest_first_each_once_and_not_without_end() {
    let many: String = (0..500).map(|nth| format!(" <r{nth}@a.test>\n")).collect();
    let thread = read(format!("From: a@a.test\nIn-Reply-To: <r499@a.test>\nReferences:{many}\nx")).thread;
    assert_eq!(thread.references.len(), 100);
    assert_eq!(thread.references[..3], ["r499@a.test", "r498@a.test", "r497@a.test"]);
}

#[test]
fn our_own_mail_that_comes_back_is_kept_and_goes_no_further() {
    let id = signer().message_id(ConversationId(7), MessageId(9), "m9", "shop.test");
    let mark = signer().mark();
    for header in [format!("Message-ID: <{id}>"), format!("X-Switchboard: {mark}")] {
        assert_eq!(read(format!("From: a@a.test\n{header}\n\nx")).nature, Nature::AutoReply, "{header}");
    }
    assert_eq!(read("From: a@a.test\nX-Switchboard: 0\n\nx").nature, Nature::Message);
}

#[test]
fn a_bounce_refers_to_the_mail_that_failed_and_finds_its_conversation() {
    let id = signer().message_id(ConversationId(7), MessageId(9), "m9", "shop.test");
    let report = std::fs::read_to_string(format!("{FOLDER}/bounce.eml")).expect("the fixture");
    let message = read(report.replace("sent-1@shop.test", &id));
    assert_eq!((message.nature, message.thread.conversation), (Nature::Bounce, Some(ConversationId(7))));
    assert_eq!(message.thread.references, [id.as_str()]);

    let prose =
        format!("From: MAILER-DAEMON@old.test\nSubject: failure notice\n\nSorry.\n\n--- Below is a copy\n\nMessage-ID: <{id}>\n");
    let message = read_as(prose, None, &[String::from("support@shop.test")]);
    assert_eq!((message.nature, message.thread.conversation), (Nature::Bounce, Some(ConversationId(7))));

    let spammy = report.replace("sent-1@shop.test", &id).replace("Subject: Delivery", "X-Spam-Flag: YES\r\nSubject: Delivery");
    assert_eq!(read(spammy).nature, Nature::Bounce, "ours, whatever a filter says");
    assert_eq!(read(report.replace("Subject: Delivery", "X-Spam-Flag: YES\r\nSubject: Delivery")).nature, Nature::Spam);
}

#[test]
fn machines_and_people_are_told_apart() {
    for (header, expected) in [
        ("Auto-Submitted: no", Nature::Message),
        ("Auto-Submitted: auto-generated (rejected)", Nature::AutoReply),
        ("Precedence: BULK", Nature::AutoReply),
        ("Precedence: list", Nature::Message),
        ("Precedence: bulk\nList-Post: <mailto:l@l.test>", Nature::Message),
        ("List-Unsubscribe: <https://l.test>", Nature::Message),
        ("X-Autoreply: yes", Nature::AutoReply),
        ("X-Auto-Response-Suppress: All", Nature::Message),
        ("X-Auto-Response-Suppress: All\nSubject: Out of Office: hello", Nature::AutoReply),
        ("Return-Path: <>", Nature::AutoReply),
        ("X-Spam-Flag: yes", Nature::Spam),
        ("X-Spam-Flag: no", Nature::Message),
    ] {
        assert_eq!(read(format!("From: a@a.test\n{header}\n\nx")).nature, expected, "{header}");
    }
    let from_nobody = read_as("From: a@a.test\n\nx", None, &[String::from("support@shop.test")]);
    assert_eq!(from_nobody.nature, Nature::AutoReply);
}

#[test]
fn the_sender_is_from_then_sender_then_the_envelope() {
    let sender = |headers: &str| read(format!("{headers}\nSubject: s\n\nx")).sender.identity.value;
    assert_eq!(sender("From: A <a@a.test>\nReply-To: other@b.test"), "a@a.test");
    assert_eq!(sender("From: nonsense\nSender: b@b.test"), "b@b.test");
    assert_eq!(sender("From: <not an address>"), "envelope@eksempel.test");
    assert_eq!(read_as("Subject: s\n\nx", None, &[]).sender.identity.value, super::people::NOBODY);
}

#[test]
fn bare_bytes_in_headers_are_read_as_utf8_else_as_the_body_else_as_western() {
    let read_with = |name: &[u8], content_type: &str, rest: &str| {
        let mut mail =
            [b"From: \"", name, b"\" <a@a.test>\nTo: ", name, b" <b@b.test>\nSubject: =?utf-8?q?=C3=A6?= ", name].concat();
        mail.extend_from_slice(format!("\n {rest}\nMessage-ID: <1@a.test>\n{content_type}\n\nx").as_bytes());
        read(mail)
    };
    let check = |name: &[u8], content_type: &str, expected: &str| {
        let message = read_with(name, content_type, "end");
        assert_eq!(message.sender.name.as_deref(), Some(expected), "{content_type}");
        assert_eq!(message.recipients[0].name.as_deref(), Some(expected), "{content_type}");
        assert_eq!(message.subject, Some(format!("æ {expected} end")), "{content_type}");
        assert_eq!(message.sender.identity.value, "a@a.test");
    };
    let latin = b"J\xf8rgen \xc5s";
    check("Jørgen Ås".as_bytes(), "Content-Type: text/plain; charset=iso-8859-1", "Jørgen Ås");
    check(latin, "Content-Type: text/plain; charset=ISO-8859-1", "Jørgen Ås");
    check(latin, "X-A: b", "Jørgen Ås");
    for does_not_fit in ["utf-8", "us-ascii", "utf-16", "utf-7", "iso-2022-jp", "nonsense"] {
        check(latin, &format!("Content-Type: text/plain; charset={does_not_fit}"), "Jørgen Ås");
    }
    check(b"\xf0\xd2\xc9\xd7\xc5\xd4", "Content-Type: text/plain; charset=koi8-r", "Привет");
    check(b"\x83\x5c", "Content-Type: text/plain; charset=Shift_JIS", "ソ");
    let parts = "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=koi8-r\n\nx\n--b--\n";
    check(b"\xf0\xd2\xc9\xd7\xc5\xd4", parts, "Привет");
}

#[test]
fn bare_bytes_within_an_encoded_word_are_in_the_charset_of_the_word() {
    let mail = b"From: a@a.test\nSubject: =?iso-8859-1?Q?Die_Fr\xf6sche?= =?iso-8859-1?q?_und_=E4?=\n\nx";
    assert_eq!(read(mail.to_vec()).subject.as_deref(), Some("Die Frösche und ä"));
}

#[test]
fn bare_bytes_in_one_header_change_no_other() {
    let plain = "From: Kari <a@a.test>\nTo: b@b.test\nReply-To: c@c.test\nMessage-ID: <1@a.test>\nReferences: <r@a.test>\n";
    let (bare, ascii) = ([plain.as_bytes(), b"Subject: bl\xe5\n\nx"].concat(), format!("{plain}Subject: b\n\nx"));
    let (bare, ascii) = (read(bare), read(ascii));
    assert_eq!(bare.subject.as_deref(), Some("blå"));
    assert!(bare.sender == ascii.sender && bare.recipients == ascii.recipients && bare.thread == ascii.thread);
}

#[test]
fn addresses_and_text_stay_out_of_debug_output() {
    let shown = format!("{:?}", read("From: Kari <kari@eksempel.test>\nSubject: secret\n\nprivate words"));
    for hidden in ["kari", "secret", "private"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

/// Reads and fails when it takes longer than anybody could wait for. Unoptimised builds are slow, so the bound is
/// far above what it takes and far below what growth with the square of the size would take.
#[allow(clippy::disallowed_methods, reason = "this measures how long the machine takes")]
fn read_in_time(name: &str, raw: Vec<u8>) -> InboundMessage {
    let (begun, bytes) = (Instant::now(), raw.len());
    let message = read(raw);
    let taken = begun.elapsed();
    assert!(taken < Duration::from_secs(20), "{name}: {bytes} bytes took {taken:?}");
    message_is_sound("mail", &message);
    message
}

#[test]
fn mail_that_cannot_be_read_proves_nobody_where_senders_are_checked() {
    let failed = Authentication {
        by: None,
        spf: CheckResult::Fail,
        dkim: CheckResult::None,
        dmarc: CheckResult::Fail,
        arc: CheckResult::None,
    };
    let read = |more: &str, checked: Option<Authentication>| {
        let mailbox = config(&format!("address = \"support@shop.test\"\nreceiver.listen = \"127.0.0.1:0\"\n{more}")).mailbox;
        let (signer, envelope) = (signer(), Envelope { sender: Some("kim@kim.test"), recipients: &[] });
        let receiving = Receiving { mailbox: &mailbox, signer: &signer };
        let raw = Bytes::from_static(b"no mail at all");
        let message = match checked {
            Some(checked) => decode_checked(&raw, envelope, receiving, ManualClock::START, checked),
            None => decode(&raw, envelope, receiving, ManualClock::START),
        };
        assert_eq!((message.nature, message.sender.identity.value.as_str()), (Nature::Malformed, "kim@kim.test"));
        (message.sender.proof, message.details.authentication)
    };
    assert_eq!(read("", None), (Proof::Channel, None));
    assert_eq!(read("authentication.verify = true", Some(failed.clone())), (Proof::Typed, Some(failed)));
    let only_passed = "authentication.trust = [\"mx.shop.test\"]\nauthentication.proof = \"only_passed\"";
    assert_eq!(read(only_passed, None), (Proof::Typed, None));
}

#[test]
fn mail_made_to_cost_time_or_stack_is_read_in_time() {
    let head = "From: a@a.test\nSubject: s\nMIME-Version: 1.0\n";
    let parts = (0..10_000)
        .fold(format!("{head}Content-Type: multipart/mixed; boundary=b\n\n"), |mail, nth| mail + &format!("--b\n\npart {nth}\n"));
    let message = read_in_time("10,000 parts", parts.into_bytes());
    assert!(message.attachments.len() <= 1_000 && message.text.starts_with("part 0"));

    let nested = (0..20_000)
        .fold(String::from(head), |mail, nth| mail + &format!("Content-Type: multipart/mixed; boundary=b{nth}\n\n--b{nth}\n"));
    read_in_time("20,000 nested multiparts", nested.into_bytes());

    let messages = format!("{head}{}", "Content-Type: message/rfc822\n\n".repeat(100_000));
    read_in_time("100,000 nested messages", messages.into_bytes());

    let digests = (0..20_000)
        .fold(String::from(head), |mail, nth| mail + &format!("Content-Type: multipart/digest; boundary=b{nth}\n\n--b{nth}\n\n"));
    read_in_time("20,000 nested digests", digests.into_bytes());

    let words = format!("{head}X-A: {}\n{}\n\nx", "=?utf-8?q?a".repeat(100_000), "To: =?utf-8?b?".repeat(1_000));
    read_in_time("unfinished encoded words", words.into_bytes());

    let comments = format!("{head}To: {}a@b.test\nContent-Type: {}text/plain\n\nx", "(".repeat(200_000), "(".repeat(200_000));
    read_in_time("unfinished comments", comments.into_bytes());

    let addresses = format!("{head}Cc: {}\n\nx", "a@b.test,".repeat(100_000));
    assert_eq!(read_in_time("100,000 recipients", addresses.into_bytes()).recipients.len(), 1);

    let headers = (0..200_000).fold(String::from(head), |mail, nth| mail + &format!("X-{nth}: y\n"));
    assert_eq!(read_in_time("200,000 headers", headers.into_bytes()).nature, Nature::Malformed);

    let missing = format!(
        "{head}Content-Type: multipart/mixed; boundary=b\n\n{}",
        "--b\nContent-Type: multipart/mixed; boundary=zz\n\n".repeat(2_000)
    );
    read_in_time("2,000 multiparts without a beginning", missing.into_bytes());
}

#[test]
fn an_encoded_message_within_a_message_is_a_file_and_is_not_descended_into() {
    let bomb = "Content-Type: message/rfc822\n\n".repeat(50_000);
    let quoted = bomb.replace('=', "=3D");
    let mail = format!("From: a@a.test\nContent-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n{quoted}");
    let message = read_in_time("an encoded nested message", mail.into_bytes());
    assert_eq!(message.attachments.len(), 1);
    assert_eq!(message.attachments[0].content_type, "message/rfc822");
    assert!(message.attachments[0].bytes.starts_with(b"Content-Type: message/rfc822"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_give_a_sound_message(raw in proptest::collection::vec(any::<u8>(), 0..600)) {
        let message = read(raw.clone());
        message_is_sound("mail", &message);
        prop_assert!(message.raw.is_some_and(|kept| kept.bytes == raw));
    }

    #[test]
    fn a_fixture_cut_or_changed_anywhere_gives_a_sound_message(which in any::<proptest::sample::Index>(),
        cut in any::<proptest::sample::Index>(), byte in any::<u8>(), truncate in any::<bool>())
    {
        let all = fixtures(FOLDER, "eml");
        let mut raw = which.get(&all).bytes.clone();
        let at = cut.index(raw.len());
        if truncate { raw.truncate(at) } else { raw[at] = byte }
        message_is_sound("mail", &read(raw));
    }

    #[test]
    fn mail_pieced_together_from_its_syntax_gives_a_sound_message(pieces in proptest::collection::vec(proptest::sample::select(vec![
        "Content-Type: ", "multipart/mixed; ", "multipart/digest", "boundary=b", "message/rfc822", "text/plain", "text/html", "\n", "\n\n",
        "--b", "--b--", "--", "Content-Transfer-Encoding: base64\n", "QUJD", "=41", "Subject: ", "=?utf-8?q?", "?=", "From: a@a.test\n",
        "(", ")", "\"", "<", ">", ";", "name*0*=", "charset=gb18030", "\u{e5}", "\r", " ", "To: ", ":", ",", "Message-ID: <1@a>\n",
    ]), 0..60)) {
        message_is_sound("mail", &read(pieces.concat()));
    }

    #[test]
    fn no_header_names_a_conversation_without_our_signature(number in 1_i64..100_000, mac in "[0-9a-f]{24}", noise in "[ -~]{0,60}",
        header in proptest::sample::select(vec!["In-Reply-To", "References", "To", "Cc", "Delivered-To", "X-Switchboard", "Message-ID", "Reply-To"]))
    {
        let forged = [format!("<sb.c{number}.m{number}.{mac}@shop.test>"), format!("support+c{number}.{mac}@shop.test"), noise];
        for value in forged {
            let mail = format!("From: a@a.test\n{header}: {value}\n\nx");
            let message = read_as(mail, Some("a@a.test"), &[format!("support+c{number}.{mac}@shop.test"), value]);
            prop_assert_eq!(message.thread.conversation, None);
            prop_assert!(message.nature == Nature::Message);
        }
    }
}
