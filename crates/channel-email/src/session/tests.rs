//! The protocol, as transcripts: what a peer sends, and what it is told.

use super::{Reply, Session, Step, Tls, Transaction};
use crate::config::{Limits, Protocol};
use proptest::prelude::{any, prop_assert_eq, proptest};
use switchboard_channel::InboxErrorKind;

fn limits(protocol: Protocol) -> Limits {
    Limits {
        protocol,
        max_message_bytes: 1_000,
        max_buffered_bytes: 10_000,
        max_connections: 10,
        max_recipients: 3,
        command_timeout_seconds: 60,
    }
}

fn lookup(address: &str) -> Option<usize> {
    ["a@shop.test", "b@shop.test"].iter().position(|own| *own == address)
}

/// A peer and the session it talks to.
struct Talk {
    session: Session,
    heard: String,
    taken: Vec<Transaction>,
    answers: Vec<Reply>,
    closed: bool,
}

impl Talk {
    fn new(protocol: Protocol, tls: Tls) -> Self {
        Self {
            session: Session::new(limits(protocol), tls),
            heard: String::new(),
            taken: Vec::new(),
            answers: Vec::new(),
            closed: false,
        }
    }

    /// Sends bytes in pieces of so many, and goes on until the session wants more.
    fn say(&mut self, bytes: &[u8], piece: usize) -> &mut Self {
        for piece in bytes.chunks(piece) {
            if self.closed {
                break;
            }
            self.session.feed(piece);
            self.go_on();
        }
        self
    }

    fn go_on(&mut self) {
        loop {
            match self.session.step(&lookup) {
                Step::Read => return,
                Step::Answer(reply) => self.heard.push_str(&reply.to_wire()),
                Step::Secure(reply) => {
                    self.heard.push_str(&reply.to_wire());
                    self.session.secured();
                }
                Step::Deliver(transaction) => {
                    let answers =
                        transaction.recipients.iter().map(|to| self.answers.get(to.route).cloned().unwrap_or_else(Reply::stored));
                    for reply in self.session.delivered(answers.collect()) {
                        self.heard.push_str(&reply.to_wire());
                    }
                    self.taken.push(transaction);
                }
                Step::Close(reply) => {
                    self.heard.push_str(&reply.to_wire());
                    self.closed = true;
                    return;
                }
            }
        }
    }
}

fn smtp(said: &str) -> Talk {
    let mut talk = Talk::new(Protocol::Smtp, Tls::Unavailable);
    talk.say(said.as_bytes(), usize::MAX);
    talk
}

const START: &str = "EHLO peer\r\nMAIL FROM:<x@y.test>\r\nRCPT TO:<a@shop.test>\r\n";

/// Everything said after [`START`] and its three answers.
fn after_start(said: &str) -> (String, Vec<String>) {
    let talk = smtp(&format!("{START}{said}"));
    let heard = talk.heard.split_once("recipient noted\r\n").expect("the recipient was taken").1.to_owned();
    (heard, talk.taken.iter().map(|taken| String::from_utf8_lossy(&taken.bytes).into_owned()).collect())
}

#[test]
fn a_mail_is_taken_with_its_envelope() {
    let talk = smtp(&format!("{START}DATA\r\nSubject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n"));
    insta::assert_snapshot!(talk.heard.replace('\r', ""), @r"
    250-Switchboard
    250-SIZE 1000
    250-8BITMIME
    250-SMTPUTF8
    250-PIPELINING
    250-CHUNKING
    250 ENHANCEDSTATUSCODES
    250 2.1.0 sender noted
    250 2.1.5 recipient noted
    354 end with <CRLF>.<CRLF>
    250 2.0.0 stored
    221 2.0.0 bye
    ");
    assert_eq!(talk.taken.len(), 1);
    assert_eq!(talk.taken[0].sender.as_deref(), Some("x@y.test"));
    assert_eq!(talk.taken[0].recipients[0].address, "a@shop.test");
    assert_eq!(talk.taken[0].bytes, b"Subject: x\r\n\r\nbody\r\n");
    assert!(talk.closed);
}

#[test]
fn the_null_sender_is_taken() {
    let talk = smtp("EHLO p\r\nMAIL FROM:<>\r\nRCPT TO:<a@shop.test>\r\nDATA\r\n.\r\n");
    assert_eq!(talk.taken[0].sender, None);
    assert_eq!(talk.taken[0].bytes, b"");
}

#[test]
fn strangers_are_refused_and_nothing_is_relayed() {
    for to in ["c@shop.test", "a@elsewhere.test", "a%elsewhere.test@shop.test", "postmaster", ""] {
        let talk = smtp(&format!("EHLO p\r\nMAIL FROM:<x@y.test>\r\nRCPT TO:<{to}>\r\nDATA\r\n"));
        assert!(talk.heard.contains("550 5.1.1") || talk.heard.contains("501 5.1.3"), "{to}: {}", talk.heard);
        assert!(talk.heard.ends_with("503 5.5.1 name a recipient first\r\n"), "{to}");
    }
}

#[test]
fn commands_out_of_order_are_refused() {
    for (said, last) in [
        ("MAIL FROM:<a@b.test>\r\n", "503 5.5.1 say hello first\r\n"),
        ("EHLO p\r\nRCPT TO:<a@shop.test>\r\n", "503 5.5.1 name the sender first\r\n"),
        ("EHLO p\r\nDATA\r\n", "503 5.5.1 name a recipient first\r\n"),
        ("EHLO p\r\nMAIL FROM:<a@b.test>\r\nMAIL FROM:<a@b.test>\r\n", "503 5.5.1 there is a sender already\r\n"),
        ("LHLO p\r\n", "500 5.5.1 this is SMTP, say EHLO\r\n"),
        ("STARTTLS\r\n", "502 5.5.1 command not implemented\r\n"),
        ("AUTH PLAIN AAAA\r\n", "502 5.5.1 command not implemented\r\n"),
        ("HELLO\r\n", "500 5.5.1 unknown command\r\n"),
        ("VRFY a\r\n", "252 2.1.5 send the mail to find out\r\n"),
        ("NOOP\r\nRSET\r\n", "250 2.0.0 forgotten\r\n"),
        ("HELO p\r\n", "250 Switchboard\r\n"),
    ] {
        let talk = smtp(said);
        assert!(talk.heard.ends_with(last), "{said}: {}", talk.heard);
        assert!(talk.taken.is_empty() && !talk.closed);
    }
}

#[test]
fn only_crlf_dot_crlf_ends_a_mail() {
    for smuggled in ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\n\n.\r\n", "\r\r\n.\n\r\n"] {
        let (heard, taken) = after_start(&format!("DATA\r\none{smuggled}MAIL FROM:<evil@x.test>\r\n.\r\n"));
        assert_eq!(taken.len(), 1, "{smuggled:?}: {heard}");
        assert!(taken[0].contains("MAIL FROM:<evil"), "{smuggled:?} ended the mail: {taken:?}");
    }
}

#[test]
fn dots_that_were_stuffed_come_out_again() {
    let (_, taken) = after_start("DATA\r\n..\r\n..a\r\nb.\r\n.c\r\n\r\n.\r\n");
    assert_eq!(taken, [".\r\n.a\r\nb.\r\nc\r\n\r\n"]);
}

#[test]
fn a_mail_beyond_the_limit_is_refused_by_its_announcement_and_by_counting() {
    let talk = smtp("EHLO p\r\nMAIL FROM:<x@y.test> SIZE=1001\r\n");
    assert!(talk.heard.ends_with("552 5.3.4 message too big\r\n"));
    let big = "x".repeat(70) + "\r\n";
    let (heard, taken) = after_start(&format!("DATA\r\n{}.\r\nNOOP\r\n", big.repeat(15)));
    assert!(heard.ends_with("552 5.3.4 message too big\r\n250 2.0.0 still here\r\n") && taken.is_empty(), "{heard}");
    let (heard, _) = after_start(&format!("DATA\r\n{}", "x".repeat(6_000)));
    assert!(heard.ends_with("552 5.3.4 message too big\r\n"), "without end: {heard}");
}

#[test]
fn chunks_are_counted_and_need_no_dots() {
    let (heard, taken) = after_start("BDAT 7\r\n.\r\nabc\r\nBDAT 3 LAST\r\n\n.\nQUIT\r\n".replace("abc\r\n", "abcd").as_str());
    assert_eq!(taken, [".\r\nabcd\n.\n"], "{heard}");
    assert!(heard.ends_with("250 2.0.0 chunk noted\r\n250 2.0.0 stored\r\n221 2.0.0 bye\r\n"), "{heard}");
    let talk = smtp("EHLO p\r\nBDAT 6\r\nQUIT\r\nNOOP\r\n");
    assert!(talk.heard.ends_with("503 5.5.1 name a recipient first\r\n250 2.0.0 still here\r\n"), "{}", talk.heard);
    let (heard, taken) = after_start(&format!("BDAT 1001 LAST\r\n{}NOOP\r\n", "x".repeat(1_001)));
    assert!(heard.ends_with("552 5.3.4 message too big\r\n250 2.0.0 still here\r\n") && taken.is_empty(), "{heard}");
}

#[test]
fn lmtp_answers_for_each_recipient() {
    let mut talk = Talk::new(Protocol::Lmtp, Tls::Unavailable);
    talk.answers = vec![Reply::stored(), Reply::refused(InboxErrorKind::Unavailable)];
    let said =
        "LHLO p\r\nMAIL FROM:<>\r\nRCPT TO:<b@shop.test>\r\nRCPT TO:<a@shop.test>\r\nRCPT TO:<b@shop.test>\r\nDATA\r\nx\r\n.\r\n";
    talk.say(said.as_bytes(), usize::MAX);
    let no = "452 4.3.1 cannot store mail now, try again later\r\n";
    assert!(talk.heard.ends_with(&format!("<CRLF>.<CRLF>\r\n{no}250 2.0.0 stored\r\n{no}")), "{}", talk.heard);

    let mut talk = Talk::new(Protocol::Lmtp, Tls::Unavailable);
    talk.say(
        format!(
            "EHLO p\r\nLHLO p\r\nMAIL FROM:<>\r\nRCPT TO:<b@shop.test>\r\nRCPT TO:<a@shop.test>\r\nDATA\r\n{}\r\n.\r\n",
            "x".repeat(2_000)
        )
        .as_bytes(),
        usize::MAX,
    );
    assert!(talk.heard.starts_with("500 5.5.1 this is LMTP"));
    assert!(talk.heard.ends_with("552 5.3.4 message too big\r\n552 5.3.4 message too big\r\n"), "{}", talk.heard);
}

#[test]
fn smtp_hears_try_again_when_any_mailbox_says_so_and_then_any_refusal() {
    for (answers, expected) in [
        ([Reply::stored(), Reply::refused(InboxErrorKind::Busy)], "451 4.3.0 too busy, try again later\r\n"),
        (
            [Reply::refused(InboxErrorKind::Invalid), Reply::refused(InboxErrorKind::Closed)],
            "450 4.2.1 mailbox is switched off, try again later\r\n",
        ),
        ([Reply::stored(), Reply::refused(InboxErrorKind::Invalid)], "554 5.6.0 message cannot be stored\r\n"),
        ([Reply::stored(), Reply::stored()], "250 2.0.0 stored\r\n"),
    ] {
        let mut talk = Talk::new(Protocol::Smtp, Tls::Unavailable);
        talk.answers = answers.to_vec();
        talk.say(format!("{START}RCPT TO:<b@shop.test>\r\nDATA\r\n.\r\n").as_bytes(), usize::MAX);
        assert!(talk.heard.ends_with(expected), "{expected}: {}", talk.heard);
    }
}

#[test]
fn too_many_recipients_lines_too_long_and_too_many_errors_have_an_end() {
    let talk = smtp(&format!("{START}{}", "RCPT TO:<a@shop.test>\r\n".repeat(3)));
    assert!(talk.heard.ends_with("452 4.5.3 too many recipients\r\n") && !talk.closed);
    let talk = smtp(&format!("NOOP {}\r\nNOOP\r\n", "x".repeat(5_000)));
    assert_eq!(talk.heard, "500 5.5.2 line too long\r\n250 2.0.0 still here\r\n");
    let talk = smtp(&"WHAT\r\n".repeat(50));
    assert!(talk.heard.ends_with("421 4.7.0 too many errors\r\n") && talk.closed);
    let talk = smtp(&"NOOP\r\n".repeat(1_500));
    assert!(talk.heard.ends_with("421 4.7.0 too many commands\r\n") && talk.closed);
}

#[test]
fn after_starttls_nothing_said_in_the_clear_counts() {
    let mut talk = Talk::new(Protocol::Smtp, Tls::Offered);
    talk.say(b"EHLO p\r\nMAIL FROM:<x@y.test>\r\nSTARTTLS\r\nRCPT TO:<a@shop.test>\r\n", usize::MAX);
    assert!(talk.heard.contains("250-STARTTLS\r\n") && talk.heard.ends_with("220 2.0.0 go ahead\r\n"), "{}", talk.heard);
    talk.say(b"MAIL FROM:<x@y.test>\r\nEHLO p\r\nSTARTTLS\r\n", usize::MAX);
    assert!(talk.heard.contains("503 5.5.1 say hello first\r\n"));
    assert_eq!(talk.heard.matches("250-STARTTLS").count(), 1);
    assert!(talk.heard.ends_with("503 5.5.1 TLS is in use already\r\n"));
}

#[test]
fn a_mail_for_which_there_is_no_room_is_put_off() {
    let mut talk = Talk::new(Protocol::Smtp, Tls::Unavailable);
    talk.say(format!("{START}DATA\r\nfirst\r\n").as_bytes(), usize::MAX);
    assert_eq!(talk.session.buffered_bytes(), 7);
    talk.session.out_of_room();
    assert_eq!(talk.session.buffered_bytes(), 0);
    talk.say(b"second\r\n.\r\nNOOP\r\n", usize::MAX);
    assert!(
        talk.heard.ends_with("452 4.3.1 too much mail at once, try again later\r\n250 2.0.0 still here\r\n"),
        "{}",
        talk.heard
    );
    assert!(talk.taken.is_empty());
}

proptest! {
    #[test]
    fn it_does_not_matter_how_the_bytes_are_cut(piece in 1_usize..40, body in "[a.\r\n]{0,60}", chunk in "[a.\r\n]{0,30}") {
        let said = format!(
            "{START}DATA\r\n{body}\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<b@shop.test>\r\nBDAT {}\r\n{chunk}BDAT 0 LAST\r\nQUIT\r\n", chunk.len());
        let whole = smtp(&said);
        let mut cut = Talk::new(Protocol::Smtp, Tls::Unavailable);
        cut.say(said.as_bytes(), piece);
        prop_assert_eq!(&whole.taken, &cut.taken);
        prop_assert_eq!(&whole.heard, &cut.heard);
    }

    #[test]
    fn whatever_is_stuffed_comes_out_as_it_went_in(lines in proptest::collection::vec("[ab.\u{e5}]{0,5}", 0..12)) {
        let sent: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let stuffed: String = lines.iter().map(|line| if line.starts_with('.') { format!(".{line}\r\n") } else { format!("{line}\r\n") }).collect();
        let (_, taken) = after_start(&format!("DATA\r\n{stuffed}.\r\n"));
        prop_assert_eq!(taken, vec![sent]);
    }

    #[test]
    fn any_bytes_are_answered_and_never_taken_for_a_mail(bytes in proptest::collection::vec(any::<u8>(), 0..3_000)) {
        let mut talk = Talk::new(Protocol::Smtp, Tls::Offered);
        talk.say(&bytes, 700);
        prop_assert_eq!(talk.taken.len(), 0);
    }
}
