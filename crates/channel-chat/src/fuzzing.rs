//! What the fuzz target of `fuzz/` runs, and the test that replays its corpus. No interface for anybody else.

use crate::config::{Config, is_email};
use crate::decode::{self, Checked, ClientFrame, Draft, Envelope, Hello, MOST_REPLAYS, Refusal, Told};
use crate::token::Signer;
use crate::visitor::Visitor;
use secrecy::SecretSlice;
use std::sync::Arc;
use switchboard_channel::Settings;
use switchboard_model::{ConversationId, Timestamp};

const NOW: Timestamp = Timestamp(1_795_262_400_000);
const SETTINGS: &str = r#"
key = "fuzz"
topics = ["delivery", "repair"]
identity = { mode = "optional", secrets = ["nobody-who-fuzzes-knows-it"] }
prechat = [
    { name = "email", kind = "email" },
    { name = "count", kind = "number", topics = ["delivery"] },
    { name = "colour", kind = "list", options = ["red", "blue"] },
    { name = "day", kind = "date" },
    { name = "consent", kind = "consent" },
]
limits = { text_length = 1000 }
"#;

/// Reads any bytes as a frame of a client, and what is in it as far as it goes.
///
/// # Panics
/// When something is taken that must not be, or the settings above are not good.
pub fn frame(bytes: &[u8]) {
    // What is not UTF-8 ends the connection before it is looked at.
    let text = String::from_utf8_lossy(bytes);
    match decode::frame(&text) {
        Ok(ClientFrame::Hello(hello)) => greeted(&hello),
        Ok(ClientFrame::Message(draft)) => [true, false].into_iter().for_each(|begins| drafted(&draft, begins)),
        Ok(ClientFrame::Page(page)) => {
            let is_bare = decode::page(&page).is_none_or(|page| !page.url.contains(['?', '#']));
            assert!(is_bare, "a page is known without query");
        }
        Ok(_) => {}
        Err(Refusal { client_id, .. }) => assert!(client_id.is_none_or(|id| decode::is_client_id(&id))),
    }
}

fn config() -> Config {
    let settings = Settings {
        slug: String::from("fuzz"),
        table: SETTINGS.parse().expect("the settings are TOML"),
        folder: std::path::PathBuf::from("/"),
    };
    Config::read(&settings).expect("the settings are good")
}

fn signer() -> Signer {
    Signer::new(Arc::new(SecretSlice::from(vec![7; 32])), "fuzz")
}

/// Nobody can sign without the secrets, so whoever says hello is nobody that is known.
fn greeted(hello: &Hello) {
    let (visitor, unwelcome) = Visitor::of(&config(), &signer(), hello, NOW);
    assert!(visitor.account.is_none() && !visitor.has_session(), "something unsigned was believed");
    assert_eq!(visitor.disbelief.is_some(), hello.identity.is_some(), "a claim that is not believed has a reason");
    assert!(unwelcome.is_none() && visitor.owner().is_none());
    assert!(decode::replays(hello.after.as_ref()).len() <= MOST_REPLAYS);
}

fn drafted(draft: &Draft, begins: bool) {
    let (config, signer) = (config(), signer());
    let read = || decode::checked(&config, draft, begins, &Told::default());
    let Checked { text, fields, name, client_id } = match read() {
        Ok(checked) => checked,
        Err(refusal) => return assert_eq!(read().err(), Some(refusal), "refused alike again"),
    };
    assert!(decode::is_client_id(&client_id) && text.chars().count() <= config.limits.text_length);
    assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t'));
    let goes_on = |name: &str| matches!(name, "email" | "answer_by");
    assert!(begins || fields.iter().all(|(name, _)| goes_on(name)), "answers belong to the first message");
    for (place, (field, answer)) in fields.iter().enumerate() {
        assert!(!answer.chars().any(char::is_control) && (field != "email" || is_email(answer)));
        assert!(fields[..place].iter().all(|(earlier, _)| earlier != field), "a field stands there once");
    }
    let owner = signer.session_owner(&signer.begin(Some("nonce"), NOW));
    let envelope = Envelope {
        owner,
        also: None,
        account: None,
        proven_email: None,
        conversation: (!begins).then_some(ConversationId(1)),
        key: None,
        locale: None,
        attachments: Vec::new(),
    };
    let message = decode::message(&config, Checked { text, fields, name, client_id }, envelope);
    assert!(message.external_id.starts_with(&owner.prefix()), "the same id of another visitor is another message");
}
