//! Reports in the shapes that mail systems give them.

use super::prose::recipients;
use crate::decode::tests::read_as;
use base64::{Engine, prelude::BASE64_STANDARD};
use switchboard_model::{DeliveryFailure, InboundMessage, Nature};

fn read_from(mail: &str, sender: Option<&str>) -> InboundMessage {
    read_as(mail, sender, &[String::from("support@shop.test")])
}

/// What a mail under the null sender says of a failure.
fn failure(mail: &str) -> DeliveryFailure {
    let message = read_from(mail, None);
    assert_eq!(message.nature, Nature::Bounce, "{mail}");
    message.details.failure.expect("a bounce says what failed")
}

#[test]
fn whom_a_report_in_prose_did_not_reach_is_found_where_it_lists_them() {
    let known = [String::from("support@shop.test"), String::from("mailer-daemon@mx.test")];
    for (report, expected) in [
        (
            "For help, ask\n<postmaster@mx.test>\n\n<kari@a.test>:\n550 no\n\n<ola@b.test>: full\n",
            &["kari@a.test", "ola@b.test"][..],
        ),
        ("support@shop.test wrote to\n  kari@a.test on Sunday\n", &["kari@a.test"]),
        ("Ask help@mx.test.\nUnknown user: kari@a.test\n550 ola@b.test is unknown\n", &["kari@a.test"]),
        (
            "Ask help@mx.test.\n550 <kari@a.test> unknown\nSorry, unable to deliver to ola@b.test\n",
            &["kari@a.test", "ola@b.test"],
        ),
        ("They take nothing from list@shop.test:\n  kari\n", &[]),
        ("Your message\n  To: list@shop.test\ndid not reach\nc=NO;a= ;dda:SMTP=kari@a.test; on Sunday\n", &["kari@a.test"]),
        ("Recipient: [SMTP:kari@a.test]\n", &["kari@a.test"]),
        ("kari@a.test\n    (expanded from: <info@a.test>)\n", &["kari@a.test", "info@a.test"]),
        ("an address that is not told\n  (generated from info@a.test)\n", &["info@a.test"]),
        ("It failed.\nTo: kari@a.test\n", &["kari@a.test"]),
        ("kari@a.test\n--- This is a copy of the message.\nola@b.test\n", &["kari@a.test"]),
        ("kari@a.test\n--- The following addresses failed ---\nola@b.test\n", &["kari@a.test", "ola@b.test"]),
        ("kari@a.test\nReceived: by mx.test\nola@b.test\n", &["kari@a.test"]),
        ("<postmaster@a.test>: no\n", &["postmaster@a.test"]),
        ("nobody at all\n", &[]),
    ] {
        assert_eq!(recipients(report, &known), expected, "{report}");
    }
}

#[test]
fn a_report_whose_sender_still_tries_is_no_failure_whatever_its_subject_says() {
    let report = "From: gateway@mx.test\nSubject: Delivery failure notification\n\nCould not be delivered to kari@a.test.\n";
    assert_eq!(read_from(report, None).nature, Nature::Bounce);
    let still_trying = format!("{report}Delivery attempts will continue for 5 days.\n");
    assert_eq!(read_from(&still_trying, None).nature, Nature::AutoReply);
    let in_the_copy = format!("{report}--- Original message follows.\nDelivery attempts will continue for 5 days.\n");
    assert_eq!(read_from(&in_the_copy, None).nature, Nature::Bounce, "those are not the words of the report");
}

#[test]
fn a_mail_system_that_gives_itself_a_return_path_is_a_mail_system() {
    let report = "From: Postmaster@a.test\nSubject: DELIVERY FAILURE: not listed\n\nwas not delivered to:\n\n  kari@a.test\n";
    let message = read_from(report, Some("MAILER-DAEMON@mx.shop.test"));
    assert_eq!(message.nature, Nature::Bounce);
    assert_eq!(message.details.failure.expect("what failed").recipients, ["kari@a.test"]);
    assert_eq!(read_from(report, Some("postmaster@a.test")).nature, Nature::Message, "a postmaster may be a person");
}

/// A notice of what became of a mail (RFC 8098).
fn notice(disposition: &str, words: &str) -> String {
    format!(
        "From: Mail <mail@a.test>\nSubject: About your mail\nContent-Type: multipart/report; \
         report-type=disposition-notification; boundary=b\n\n--b\n\n{words}\n--b\n\
         Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; kari@a.test\n\
         Original-Message-ID: <sent-1@shop.test>\nDisposition: automatic-action/MDN-sent-automatically; {disposition}\n\n--b--\n"
    )
}

#[test]
fn a_mail_refused_after_it_was_accepted_has_failed_and_one_deleted_unread_has_not() {
    let rejected = failure(&notice("deleted", "Your message to <kari@a.test> was automatically rejected:\nQuota exceeded"));
    assert_eq!(rejected.recipients, ["kari@a.test"]);
    assert_eq!(rejected.reference.as_deref(), Some("sent-1@shop.test"));
    for (disposition, words) in [
        ("deleted", "Your message to kari@a.test was deleted without being read."),
        ("displayed", "Your message was displayed to kari@a.test, who has rejected nothing."),
    ] {
        assert_eq!(read_from(&notice(disposition, words), None).nature, Nature::AutoReply, "{words}");
    }
}

/// A report with these machine-readable groups.
fn report(words: &str, groups: &str) -> String {
    format!(
        "From: robot@a.test\nSubject: Notice\nContent-Type: multipart/report; report-type=delivery-status; boundary=r\n\n--r\n\n\
         {words}\n--r\nContent-Type: message/delivery-status\n\n{groups}\n\n--r--\n"
    )
}

#[test]
fn a_failure_keeps_the_code_and_the_comment_of_what_was_tried_too_long() {
    let groups = "Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822;kari@a.test\nAction: Failed\nStatus: 4.4.7 (time is up)";
    let found = failure(&report("Failed.", groups));
    assert_eq!((found.status.as_deref(), found.reason.as_deref()), (Some("4.4.7"), Some("time is up")));
    let diagnosed = failure(&report("Failed.", &format!("{groups}\nDiagnostic-Code: smtp; 451 busy")));
    assert_eq!(diagnosed.reason.as_deref(), Some("451 busy"));
}

#[test]
fn a_service_that_asks_senders_to_confirm_themselves_has_lost_nothing() {
    let groups = "Reporting-MTA: dns; mx.test\nAction: failed\n\nFinal-Recipient: rfc822; kari@a.test\nStatus: 4.7.0";
    assert_eq!(read_from(&report("Your message waits. Please follow the link.", groups), None).nature, Nature::AutoReply);
    assert_eq!(failure(&report("Your message could not be delivered.", groups)).recipients, [""; 0]);
    let permanent = groups.replace("4.7.0", "5.7.0");
    assert_eq!(read_from(&report("Et ukjent språk.", &permanent), None).nature, Nature::Bounce);
}

#[test]
fn a_report_that_a_filter_has_put_into_a_mail_of_its_own_is_read() {
    let groups = "Final-Recipient: rfc822;kari@a.test\nAction: failed\nStatus: 5.1.1";
    let carried = report("Failed.", groups);
    let mail = format!(
        "From: postmaster@mx.test\nSubject: Delivery Status Notification (Failure)\nContent-Type: multipart/mixed; boundary=o\n\n\
         --o\nContent-Type: message/rfc822\n\n{carried}\n--o\nContent-Type: text/plain\n\nThis mail is confidential.\n--o--\n"
    );
    let found = failure(&mail);
    assert_eq!((found.recipients.as_slice(), found.status.as_deref()), (&[String::from("kari@a.test")][..], Some("5.1.1")));
}

#[test]
fn a_carried_report_of_nothing_but_nested_mails_is_answered() {
    let nested = "Content-Type: message/rfc822\n\n".repeat(100_000);
    let hidden = BASE64_STANDARD.encode(format!("From: a@a.test\nContent-Type: multipart/report; boundary=n\n\n--n\n{nested}"));
    let mail = format!(
        "From: mailer-daemon@mx.test\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\
         Content-Transfer-Encoding: base64\n\n{hidden}\n--o--\n"
    );
    assert_eq!(failure(&mail).recipients, [""; 0]);
}
