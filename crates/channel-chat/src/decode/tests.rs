//! What frames are, and that nothing else breaks the decoder.

use super::{ClientFrame, Draft, Page, Refusal, Told, checked, frame, message, page, replays};
use crate::config::{Config, Wrong};
use crate::encode::Code;
use crate::token::Signer;
use proptest::prelude::{any, proptest};
use secrecy::SecretSlice;
use std::sync::Arc;
use switchboard_channel_testkit::{contract, settings};
use switchboard_model::{ConversationId, MessageId, Timestamp};

fn config() -> Config {
    Config::read(&settings("chat", "key = \"shop\"\nprechat = [{ name = \"name\" }]")).expect("good settings")
}

#[test]
fn a_frame_that_is_none_names_its_message_where_it_can() {
    let refused = |text: &str| frame(text).err().expect("no frame");
    assert_eq!(refused("{\"type\": \"x\", \"client_id\": \"message-1\"}").client_id.as_deref(), Some("message-1"));
    assert_eq!(
        refused("{\"type\": \"message\", \"client_id\": \"message-1\", \"text\": 1}").client_id.as_deref(),
        Some("message-1")
    );
    assert_eq!(refused("{\"type\": \"message\", \"client_id\": \"no\", \"text\": 1}"), Refusal::of(Code::Malformed));
    assert!(matches!(frame("{\"type\": \"ping\", \"later\": [1]}"), Ok(ClientFrame::Ping)), "unknown fields are ignored");
}

#[test]
fn a_page_is_known_without_query_fragment_and_credentials() {
    for (url, expected) in [
        ("https://shop.test/a?b=c#d", Some("https://shop.test/a")),
        ("http://shop.test", Some("http://shop.test")),
        ("https://kari:secret@shop.test/", None),
        ("javascript:alert(1)", None),
        ("https:///a", None),
        ("https://shop.test/a b", None),
    ] {
        let found = page(&Page { url: url.to_owned(), title: " A\nB ".to_owned() });
        assert_eq!(found.as_ref().map(|page| page.url.as_str()), expected, "{url}");
        assert!(found.is_none_or(|page| page.title == "A B"));
    }
    assert!(page(&Page { url: format!("https://shop.test/{}", "a".repeat(3_000)), title: String::new() }).is_none());
}

/// What is kept of these answers to the questions, or what is wrong with them.
/// Answers as they are kept, or what is wrong with each.
type Kept = Result<Vec<(String, String)>, Vec<(String, Wrong)>>;

fn kept(settings_text: &str, fields: &[(&str, &str)], told: &Told) -> Kept {
    let sent = serde_json::json!({"type": "message", "client_id": "message-1", "text": "Hi", "fields": fields}).to_string();
    let Ok(ClientFrame::Message(draft)) = frame(&sent) else { panic!("a message is a message") };
    let config = Config::read(&settings("chat", settings_text)).expect("good settings");
    checked(&config, &draft, true, told).map(|checked| checked.fields).map_err(|refusal| refusal.fields)
}

#[test]
fn name_and_address_are_taken_unasked_and_checked_all_the_same() {
    let plain = "key = \"shop\"";
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let both = [("email", " kari@eksempel.test "), ("name", "Kari\u{7}")];
    let expected = vec![pair("name", "Kari"), pair("email", "kari@eksempel.test")];
    assert_eq!(kept(plain, &both, &Told::default()), Ok(expected));
    assert_eq!(kept(plain, &[("email", "kari")], &Told::default()), Err(vec![("email".to_owned(), Wrong::Invalid)]));
    assert_eq!(kept(plain, &[("phone", "22334455")], &Told::default()), Err(vec![("phone".to_owned(), Wrong::Unknown)]));
    let twice = [("email", "a@b.test"), ("email", "c@d.test")];
    assert_eq!(kept(plain, &twice, &Told::default()), Err(vec![("email".to_owned(), Wrong::Repeated)]));
    assert_eq!(kept(plain, &[("email", " ")], &Told::default()), Ok(Vec::new()), "nothing was answered");
    let told = Told { name: Some("Kari N".to_owned()), email: Some("signed@eksempel.test".to_owned()), ..Told::default() };
    let expected = vec![pair("name", "Kari N"), pair("email", "signed@eksempel.test")];
    assert_eq!(kept(plain, &both, &told), Ok(expected), "what the site says counts");
    assert_eq!(kept(plain, &[], &told), Ok(vec![pair("email", "signed@eksempel.test")]));
    let asks = "key = \"shop\"\nprechat = [{ name = \"email\", kind = \"email\" }]";
    let expected = vec![pair("email", "kari@eksempel.test"), pair("name", "Kari")];
    assert_eq!(kept(asks, &both, &Told::default()), Ok(expected), "an answer stands there once");
}

/// The same in a conversation that goes on, with the wish for answers by mail or another.
fn kept_later(fields: &[(&str, &str)], answer_by: &str, told: &Told) -> Kept {
    let sent = serde_json::json!({
        "type": "message", "client_id": "message-2", "text": "Hi", "fields": fields, "answer_by": answer_by,
    });
    let Ok(ClientFrame::Message(draft)) = frame(&sent.to_string()) else { panic!("a message is a message") };
    let asks = "key = \"shop\"\nprechat = [{ name = \"order\", kind = \"number\", required = true }]";
    let config = Config::read(&settings("chat", asks)).expect("good settings");
    let both = [true, false].map(|begins| {
        let answered = Draft { fields: Some([draft.fields.clone().unwrap_or_default(), order()].concat()), ..(*draft).clone() };
        checked(&config, if begins { &answered } else { &draft }, begins, told)
    });
    let [first, later] = both.map(|checked| checked.map(|checked| checked.fields).map_err(|refusal| refusal.fields));
    let bare = |kept: Vec<(String, String)>| kept.into_iter().filter(|pair| !order().contains(pair)).collect();
    assert_eq!(
        first.map(bare).map_err(|faults| faults.len()),
        later.clone().map_err(|faults| faults.len()),
        "alike at the start"
    );
    later
}

fn order() -> Vec<(String, String)> {
    vec![("order".to_owned(), "12".to_owned())]
}

#[test]
fn an_address_and_the_wish_for_answers_by_mail_are_taken_in_any_message() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let (email, wish) = (pair("email", "kari@eksempel.test"), pair("answer_by", "mail"));
    let address = [("email", " kari@eksempel.test ")];
    let nobody = Told::default();
    assert_eq!(kept_later(&address, "mail", &nobody), Ok(vec![email.clone(), wish.clone()]));
    assert_eq!(kept_later(&address, "", &nobody), Ok(vec![email.clone()]), "an address alone asks for nothing");
    assert_eq!(kept_later(&[], "mail", &nobody), Ok(vec![wish.clone()]), "an earlier address counts");
    assert_eq!(kept_later(&[], "chat", &nobody), Ok(vec![pair("answer_by", "chat")]), "and the chat is enough again");
    assert_eq!(kept_later(&[("email", "kari")], "mail", &nobody), Err(vec![("email".to_owned(), Wrong::Invalid)]));
    assert_eq!(kept_later(&[], "post", &nobody), Err(vec![("answer_by".to_owned(), Wrong::Invalid)]));
    let twice = [("email", "a@b.test"), ("email", "c@d.test")];
    assert_eq!(kept_later(&twice, "mail", &nobody), Err(vec![("email".to_owned(), Wrong::Repeated)]));
    let told = Told { email: Some(email.1.clone()), ..Told::default() };
    assert_eq!(kept_later(&[], "mail", &told), Ok(vec![email, wish]), "what the site has said need not be typed");
}

#[test]
fn what_else_a_later_message_answers_is_not_looked_at() {
    let sent = serde_json::json!({"type": "message", "client_id": "message-1", "text": "Hi", "fields": [["colour", "red"]]});
    let Ok(ClientFrame::Message(draft)) = frame(&sent.to_string()) else { panic!("a message is a message") };
    let checked = checked(&config(), &draft, false, &Told { email: Some("a@b.test".to_owned()), ..Told::default() });
    assert_eq!(checked.map(|checked| checked.fields), Ok(Vec::new()));
}

#[test]
fn what_a_client_has_is_read_and_bounded() {
    let sent = [("12".to_owned(), 345), ("7".to_owned(), 0), ("x".to_owned(), 1)].into();
    let expected = [(ConversationId(7), None), (ConversationId(12), Some(MessageId(345)))];
    assert!(replays(Some(&sent)).into_iter().eq(expected));
    assert!(replays(None).is_empty());
}

proptest! {
    #[test]
    fn any_text_is_a_frame_or_is_refused(text in any::<String>()) {
        let _ = frame(&text);
    }

    #[test]
    fn any_draft_that_is_taken_is_a_sound_message(text in any::<String>(), name in any::<String>(), id in "[A-Za-z0-9_-]{8,64}") {
        let sent = serde_json::json!({"type": "message", "client_id": id, "text": text, "fields": [["name", name]]}).to_string();
        let Ok(ClientFrame::Message(draft)) = frame(&sent) else { panic!("a message is a message") };
        if let Ok(checked) = checked(&config(), &draft, true, &Told::default()) {
            let signer = Signer::new(Arc::new(SecretSlice::from(vec![1; 32])), "chat");
            let owner = signer.session_owner(&signer.begin(None, Timestamp(0)));
            let envelope = super::Envelope {
                owner,
                also: None,
                account: None,
                proven_email: None,
                conversation: None,
                key: None,
                locale: None,
                attachments: Vec::new(),
            };
            contract::message_is_sound("chat", &message(&config(), checked, envelope));
        }
    }
}
