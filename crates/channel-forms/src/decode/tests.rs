//! Submissions in every format become messages; nothing that can be sent breaks the way there.

use super::{Checked, Envelope, checked, message};
use crate::config::Form;
use crate::submission::{Collector, Entry, Sent, Submission, Unreadable};
use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use std::fmt::Write;
use switchboard_channel_testkit::{contract, settings};
use switchboard_model::{Identity, IdentityKind, InboundMessage, Nature};

const SETTINGS: &str = r#"
title = { en = "Contact us", nb = "Kontakt oss" }
language = "nb"
max_parts = 20
fields = [
    { name = "name", label = { en = "Name", nb = "Navn" } },
    { name = "email", kind = "email" },
    { name = "subject" },
    { name = "message", kind = "textarea" },
    { name = "topic", kind = "select", options = [{ value = "a", label = { en = "Returns", nb = "Retur" } }, "b"] },
    { name = "consent", kind = "checkbox" },
    { name = "papers", kind = "file", max_bytes = 10, max_files = 2 },
]
"#;

fn form() -> Form {
    Form::read(&settings("contact", SETTINGS)).expect("the settings of the test are good")
}

fn envelope() -> Envelope {
    Envelope {
        external_id: "page:1".to_owned(),
        cookie: None,
        new_cookie: None,
        stranger: Identity::new(IdentityKind::Cookie, "once-1"),
        language: Some("nb".to_owned()),
        nature: Nature::Message,
    }
}

fn of_urlencoded(body: &str) -> Checked {
    checked(&form(), &Submission::from_urlencoded(body.as_bytes(), 20).expect("few enough parts"))
}

/// A message as text, without what never varies.
fn shown(message: &InboundMessage) -> String {
    let mut text = String::new();
    let identity = &message.sender.identity;
    let _ = writeln!(text, "from {:?} {} {:?} {}", message.sender.name, identity.kind, identity.value, message.sender.proof);
    let _ = writeln!(text, "subject {:?} language {:?} nature {}", message.subject, message.language, message.nature);
    let _ = writeln!(text, "text {:?}", message.text);
    for (name, value) in &message.fields {
        let _ = writeln!(text, "field {name} {value:?}");
    }
    for file in &message.attachments {
        let _ = writeln!(text, "file {:?} {} {} bytes", file.name, file.content_type, file.bytes.len());
    }
    let raw = message.raw.as_ref().expect("a form keeps what was sent");
    let _ = write!(text, "raw {} {}", raw.content_type, String::from_utf8_lossy(&raw.bytes));
    text
}

#[test]
fn a_full_submission_becomes_a_message() {
    let body = "subject=Late&message=Where+is+it%3F%0D%0AKari&email=Kari%40Eksempel.test&name=Kari+%C3%98deg%C3%A5rd&topic=a";
    let found = of_urlencoded(body);
    assert_eq!(found.faults, []);
    insta::assert_snapshot!(shown(&message(&form(), found, envelope())), @r#"
    from Some("Kari Ødegård") email "kari@eksempel.test" typed
    subject Some("Late") language Some("nb") nature message
    text "Where is it?\nKari"
    field name "Kari Ødegård"
    field email "Kari@Eksempel.test"
    field subject "Late"
    field message "Where is it?\nKari"
    field topic "a"
    raw application/json {"fields":{"email":"Kari@Eksempel.test","message":"Where is it?\nKari","name":"Kari Ødegård","subject":"Late","topic":"a"},"files":[]}
    "#);
}

#[test]
fn without_subject_message_and_address_title_list_and_stranger_stand_in() {
    insta::assert_snapshot!(shown(&message(&form(), of_urlencoded("name=Kari&topic=a&consent=on"), envelope())), @r#"
    from Some("Kari") cookie "once-1" typed
    subject Some("Kontakt oss") language Some("nb") nature message
    text "Navn: Kari\nTopic: Retur\nConsent: true"
    field name "Kari"
    field topic "a"
    field consent "true"
    raw application/json {"fields":{"consent":"true","name":"Kari","topic":"a"},"files":[]}
    "#);
}

#[test]
fn files_are_kept_in_order_and_never_beyond_their_size() {
    let form = form();
    let mut collector = Collector::new(&form);
    collector.begin("papers", Some("../one.txt"), Some("Text/Plain; charset=x")).expect("few enough parts");
    collector.extend(b"12345");
    collector.extend(b"67890");
    collector.begin("papers", Some(""), None).expect("few enough parts");
    collector.begin("message", None, None).expect("few enough parts");
    collector.extend(b"hello ");
    collector.extend("æ".as_bytes());
    let found = checked(&form, &collector.finish());
    assert_eq!(found.faults, []);
    insta::assert_snapshot!(shown(&message(&form, found, envelope())), @r#"
    from None cookie "once-1" typed
    subject Some("Kontakt oss") language Some("nb") nature message
    text "hello æ"
    field message "hello æ"
    file "one.txt" text/plain 10 bytes
    raw application/json {"fields":{"message":"hello æ"},"files":[{"bytes":10,"content_type":"text/plain","field":"papers","name":"one.txt"}]}
    "#);
}

#[test]
fn a_file_that_will_be_refused_is_not_held_in_memory() {
    let form = form();
    for (name, file) in [("papers", "a"), ("message", "a"), ("stranger", "a")] {
        let mut collector = Collector::new(&form);
        collector.begin(name, Some(file), None).expect("few enough parts");
        for _ in 0..1_000 {
            collector.extend(&[0; 1_000]);
        }
        let submission = collector.finish();
        let Sent::File(file) = &submission.entries[0].value else { panic!("a file was sent") };
        assert_eq!((file.bytes.len(), file.dropped), (0, true), "{name}");
        assert_eq!(checked(&form, &submission).faults.len(), 1, "{name}");
    }
}

#[test]
fn unknown_names_are_listed_once_and_not_without_end() {
    let entries = (0..200).map(|number| Entry { name: format!("x{}", number % 100), value: Sent::Nested });
    let found = checked(&form(), &Submission { entries: entries.collect() });
    assert_eq!(found.faults.len(), 20);
    assert!(found.faults.iter().all(|fault| fault.wrong.code() == "unknown_field"));
}

#[test]
fn a_name_sent_twice_is_a_fault_and_hidden_names_are_none() {
    let found = of_urlencoded("name=a&name=b&website=&form_token=x&form_language=nb&submission_id=1");
    let codes: Vec<(&str, &str)> = found.faults.iter().map(|fault| (fault.field.as_str(), fault.wrong.code())).collect();
    assert_eq!(codes, [("name", "repeated")]);
}

#[test]
fn more_parts_than_the_limit_are_not_read() {
    assert_eq!(Submission::from_urlencoded(b"a&b&c", 2), Err(Unreadable::TooManyParts));
    assert_eq!(Submission::from_json(br#"{"a":1,"b":2,"c":3}"#, 2), Err(Unreadable::TooManyParts));
    let form = form();
    let mut collector = Collector::new(&form);
    for _ in 0..20 {
        collector.begin("x", None, None).expect("up to the limit");
    }
    assert_eq!(collector.begin("x", None, None), Err(Unreadable::TooManyParts));
}

#[test]
fn json_takes_plain_values_and_says_where_it_broke() {
    let submission = Submission::from_json(br#"{"a": 1.50, "b": true, "c": null, "d": "x", "e": {}}"#, 9).expect("JSON");
    let kinds: Vec<String> = submission
        .entries
        .iter()
        .map(|entry| match &entry.value {
            Sent::Text(text) => format!("{}={text}", entry.name),
            Sent::Nested | Sent::File(_) => format!("{} nested", entry.name),
        })
        .collect();
    assert_eq!(kinds, ["a=1.5", "b=true", "d=x", "e nested"]);
    let Err(Unreadable::Json { line, column, message }) = Submission::from_json(b"{\n\"a\": }", 9) else {
        panic!("this is no JSON");
    };
    assert_eq!((line, column, message.as_str()), (2, 6, "expected value"));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(body in vec(any::<u8>(), 0..400)) {
        let form = form();
        let urlencoded = Submission::from_urlencoded(&body, 20);
        let json = Submission::from_json(&body, 20);
        for submission in [urlencoded, json].into_iter().flatten() {
            let found = message(&form, checked(&form, &submission), envelope());
            contract::message_is_sound("contact", &found);
        }
    }

    #[test]
    fn random_entries_never_panic_and_equal_ones_agree(
        entries in vec(("(name|email|subject|message|topic|consent|papers|x)", "\\PC{0,40}", any::<bool>()), 0..12)
    ) {
        let form = form();
        let read = || {
            let mut collector = Collector::new(&form);
            for (name, value, is_file) in &entries {
                collector.begin(name, is_file.then_some(value), is_file.then_some(value)).expect("few enough parts");
                collector.extend(value.as_bytes());
            }
            checked(&form, &collector.finish())
        };
        let (one, other) = (read(), read());
        assert_eq!(one.digest(&form), other.digest(&form));
        assert_eq!(one.values.len(), form.fields.len());
        let (one, other) = (message(&form, one, envelope()), message(&form, other, envelope()));
        contract::message_is_sound("contact", &one);
        assert!(one == other);
        assert!(one.fields.iter().all(|(_, value)| !value.is_empty()));
    }

    #[test]
    fn what_was_written_well_comes_back_the_same_in_every_format(name in "[a-zæøå]{1,20}", text in "[ -~æøå\n]{1,80}x") {
        let form = form();
        let text = text.trim().to_owned();
        let json = serde_json::json!({ "name": name, "message": text }).to_string();
        let pairs = [("name", &name), ("message", &text)];
        let urlencoded: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let mut collector = Collector::new(&form);
        for (field, value) in pairs {
            collector.begin(field, None, None).expect("few enough parts");
            collector.extend(value.as_bytes());
        }
        let all = [
            Submission::from_json(json.as_bytes(), 20).expect("JSON"),
            Submission::from_urlencoded(urlencoded.as_bytes(), 20).expect("few enough parts"),
            collector.finish(),
        ];
        let all = all.map(|submission| message(&form, checked(&form, &submission), envelope()));
        assert!(all[0] == all[1] && all[1] == all[2]);
        assert_eq!(&all[0].text, &text);
    }
}
