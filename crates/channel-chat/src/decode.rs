//! What a visitor's connection sends, read and checked. Pure: text, settings and what is known of the visitor in; frames,
//! messages or a refusal out.

use crate::config::{Config, Kind, Question, Wrong, cleaned, is_email, well_formed};
use crate::encode::Code;
use crate::token::Owner;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use switchboard_channel::{ANSWER_BY, BY_CHAT, BY_MAIL};
use switchboard_model::{
    Attachment, ConversationId, Identity, InboundMessage, MessageDetails, MessageId, Nature, Proof, Sender, ThreadHints,
};

/// The longest name that is kept, in characters.
const LONGEST_NAME: usize = 100;
/// The longest address of a page, in bytes, and the longest title, in characters.
const LONGEST_URL_BYTES: usize = 2_048;
const LONGEST_TITLE: usize = 200;
/// What may be answered without having been asked: who writes, and where an answer by mail goes.
const VOLUNTEERED: [(&str, Kind); 2] = [("name", Kind::Text), ("email", Kind::Email)];
/// The most conversations that a `hello` may ask for.
pub(crate) const MOST_REPLAYS: usize = 50;

/// A frame of a client. It has no `Debug`, because it holds what people write and what proves who they are.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ClientFrame {
    Hello(Box<Hello>),
    Message(Box<Draft>),
    Consent,
    Open { conversation: ConversationId, after: Option<MessageId> },
    Typing { conversation: ConversationId, on: bool },
    Read { conversation: ConversationId, message: MessageId },
    Page(Page),
    Ping,
}

/// Names and answers.
type Answers = Vec<(String, String)>;
/// Names, and what is wrong with their answers.
type Faults = Vec<(String, Wrong)>;

const TYPES: [&str; 8] = ["hello", "message", "consent", "open", "typing", "read", "page", "ping"];

/// The first frame.
#[derive(Deserialize)]
pub(crate) struct Hello {
    pub(crate) session: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) identity: Option<Claim>,
    pub(crate) locale: Option<String>,
    pub(crate) page: Option<Page>,
    pub(crate) after: Option<BTreeMap<String, i64>>,
}

/// What the site's page says about its visitor.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Claim {
    /// A signed token.
    Jwt { jwt: String },
    /// An id with its signature; the rest is not signed.
    Hash { id: String, hash: String, name: Option<String>, email: Option<String> },
}

/// The page that a visitor looks at.
#[derive(Clone, Deserialize, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) title: String,
}

/// A message as written.
#[derive(Clone, Deserialize)]
pub(crate) struct Draft {
    pub(crate) client_id: String,
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) first: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) fields: Option<Vec<(String, String)>>,
    pub(crate) answer_by: Option<String>,
    pub(crate) topic: Option<String>,
    pub(crate) files: Option<Vec<String>>,
    /// The proof of work, in a message that begins a conversation.
    pub(crate) work: Option<String>,
}

/// Why a frame or a message is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) client_id: Option<String>,
    pub(crate) code: Code,
    pub(crate) retry_after_s: Option<u64>,
    pub(crate) fields: Vec<(String, Wrong)>,
}

/// What the visitor's page and identity have said already, for the questions before the first message.
#[derive(Clone, Default)]
pub(crate) struct Told {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    /// An identity was claimed and not believed.
    pub(crate) unverified: bool,
    pub(crate) locale: Option<String>,
    pub(crate) page: Option<Page>,
}

/// A draft that can be stored.
pub(crate) struct Checked {
    pub(crate) client_id: String,
    pub(crate) text: String,
    /// Answers and what the channel knows itself; in a conversation that goes on an address, and that it is to be answered.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) name: Option<String>,
}

/// Who sends, and into which conversation.
pub(crate) struct Envelope<'a> {
    pub(crate) owner: Owner,
    /// Who else may have sent the same message, being the same visitor before signing in.
    pub(crate) also: Option<Owner>,
    /// The account's identity; `None` for a session.
    pub(crate) account: Option<&'a Identity>,
    /// An address that the site has proven to be the account's.
    pub(crate) proven_email: Option<&'a str>,
    /// The conversation that goes on.
    pub(crate) conversation: Option<ConversationId>,
    /// Its thread key.
    pub(crate) key: Option<String>,
    pub(crate) locale: Option<String>,
    pub(crate) attachments: Vec<Attachment>,
}

/// Reads one frame.
pub(crate) fn frame(text: &str) -> Result<ClientFrame, Refusal> {
    #[derive(Deserialize)]
    struct Tag {
        #[serde(rename = "type")]
        kind: String,
        client_id: Option<Value>,
    }
    let tag: Tag = serde_json::from_str(text).map_err(|_| Refusal::of(Code::Malformed))?;
    let client_id = tag.client_id.and_then(|id| id.as_str().filter(|id| is_client_id(id)).map(str::to_owned));
    if !TYPES.contains(&tag.kind.as_str()) {
        return Err(Refusal { client_id, ..Refusal::of(Code::UnknownType) });
    }
    serde_json::from_str(text).map_err(|_| Refusal { client_id, ..Refusal::of(Code::Malformed) })
}

/// The words of a draft, if it is a message at all.
pub(crate) fn words(config: &Config, draft: &Draft) -> Result<String, Refusal> {
    if !is_client_id(&draft.client_id) {
        return Err(Refusal::of(Code::BadClientId));
    }
    let refuse = |code| Err(Refusal { client_id: Some(draft.client_id.clone()), ..Refusal::of(code) });
    let text = cleaned(draft.text.as_deref().unwrap_or_default(), true);
    if text.is_empty() && draft.files.as_ref().is_none_or(Vec::is_empty) {
        return refuse(Code::Empty);
    }
    if text.chars().count() > config.limits.text_length {
        return refuse(Code::TooLong);
    }
    Ok(text)
}

/// Checks a draft. `begins` says that it begins a conversation, so that the questions have to be answered.
pub(crate) fn checked(config: &Config, draft: &Draft, begins: bool, told: &Told) -> Result<Checked, Refusal> {
    let text = words(config, draft)?;
    let refuse = |code| Refusal { client_id: Some(draft.client_id.clone()), ..Refusal::of(code) };
    let sent = draft.fields.as_deref().unwrap_or_default();
    let by = draft.answer_by.as_deref().filter(|by| !by.is_empty());
    let by_mail = by == Some(BY_MAIL);
    let wish = by.filter(|by| [BY_MAIL, BY_CHAT].contains(by)).map(|by| (ANSWER_BY.to_owned(), by.to_owned()));
    let wrong_wish = (by.is_some() && wish.is_none()).then(|| (ANSWER_BY.to_owned(), Wrong::Invalid));
    if !begins {
        let (address, mut wrong) = match address(sent) {
            Ok(address) => (address, Vec::new()),
            Err(fault) => (None, vec![("email".to_owned(), fault)]),
        };
        wrong.extend(wrong_wish);
        if !wrong.is_empty() {
            return Err(Refusal { fields: wrong, ..refuse(Code::BadField) });
        }
        let address = address.or_else(|| told.email.clone().filter(|_| by_mail));
        let fields = address.map(|address| ("email".to_owned(), address)).into_iter().chain(wish).collect();
        return Ok(Checked { client_id: draft.client_id.clone(), text, fields, name: told.name.clone() });
    }
    let topic = draft.topic.as_deref().filter(|topic| !topic.is_empty());
    if topic.is_some_and(|topic| !config.topics.iter().any(|known| known.value == topic)) {
        return Err(refuse(Code::BadTopic));
    }
    let (mut fields, mut wrong) = answers(config, sent, topic, told);
    wrong.extend(wrong_wish);
    if !wrong.is_empty() {
        return Err(Refusal { fields: wrong, ..refuse(Code::BadField) });
    }
    let answered = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, answer)| answer.clone());
    let name = told.name.clone().or_else(|| answered("name")).and_then(|name| person_name(&name));
    fields.extend(wish);
    fields.extend(topic.map(|topic| ("topic".to_owned(), topic.to_owned())));
    fields.extend(told.page.as_ref().map(|page| ("page".to_owned(), page.url.clone())));
    fields.extend(told.unverified.then(|| ("identity".to_owned(), "unverified".to_owned())));
    Ok(Checked { client_id: draft.client_id.clone(), text, fields, name })
}

/// The message for the inbox.
pub(crate) fn message(config: &Config, checked: Checked, envelope: Envelope<'_>) -> InboundMessage {
    let Envelope { owner, also, account, proven_email, conversation, key, locale, attachments } = envelope;
    let sender = match account {
        Some(identity) => Sender {
            identity: identity.clone(),
            also: proven_email.map(Identity::email).into_iter().collect(),
            proof: Proof::Channel,
            name: checked.name,
        },
        None => Sender { identity: owner.cookie_identity(), also: Vec::new(), proof: Proof::Cookie, name: checked.name },
    };
    InboundMessage {
        channel: config.slug.clone(),
        external_id: format!("{}{}", owner.prefix(), checked.client_id),
        further_ids: also.iter().map(|owner| format!("{}{}", owner.prefix(), checked.client_id)).collect(),
        sent_at: None,
        sender,
        thread: ThreadHints { conversation, key, ..ThreadHints::default() },
        subject: None,
        text: checked.text,
        html: None,
        fields: checked.fields,
        attachments,
        recipients: Vec::new(),
        language: locale,
        nature: Nature::Message,
        details: MessageDetails::default(),
        raw: None,
    }
}

/// Whether a value can be a client's id of a message: 8 to 64 letters, digits, `_` and `-`.
pub(crate) fn is_client_id(id: &str) -> bool {
    (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// A client's nonce, when it has the shape of 128 random bits or more.
pub(crate) fn nonce(sent: Option<&str>) -> Option<&str> {
    sent.filter(|nonce| {
        (22..=64).contains(&nonce.len()) && nonce.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    })
}

/// A language tag, when it looks like one.
pub(crate) fn locale(sent: Option<&str>) -> Option<String> {
    sent.and_then(well_formed)
}

/// The name of a person on one line; `None` when there is none.
pub(crate) fn person_name(sent: &str) -> Option<String> {
    let name: String = cleaned(sent, false).chars().take(LONGEST_NAME).collect();
    (!name.is_empty()).then_some(name)
}

/// An address of a mailbox.
pub(crate) fn email(sent: &str) -> Option<String> {
    let address = cleaned(sent, false);
    is_email(&address).then_some(address)
}

/// A page without query, fragment and credentials; `None` when it is no web page.
pub(crate) fn page(sent: &Page) -> Option<Page> {
    let cut = sent.url.split(['?', '#']).next().unwrap_or_default().trim();
    let (scheme, rest) = cut.split_once("://")?;
    let authority = rest.split('/').next().unwrap_or_default();
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let fits = is_web && !authority.is_empty() && !authority.contains('@') && cut.len() <= LONGEST_URL_BYTES;
    let is_clean = !cut.chars().any(|letter| letter.is_control() || letter.is_whitespace());
    let title: String = cleaned(&sent.title, false).chars().take(LONGEST_TITLE).collect();
    (fits && is_clean).then(|| Page { url: cut.to_owned(), title })
}

/// The conversations that the client has messages of already, with what it has.
pub(crate) fn replays(sent: Option<&BTreeMap<String, i64>>) -> BTreeMap<ConversationId, Option<MessageId>> {
    let pairs = sent.into_iter().flatten().take(MOST_REPLAYS);
    pairs.filter_map(|(id, after)| Some((id.parse().ok()?, (*after > 0).then_some(MessageId(*after))))).collect()
}

/// Whether the identity has answered the question.
pub(crate) fn is_told(question: &Question, told: &Told) -> bool {
    match question.name.as_str() {
        "name" => told.name.is_some(),
        "email" => told.email.is_some(),
        _ => false,
    }
}

/// The answers in the order of the questions, what was answered unasked behind them, and what is wrong with them.
fn answers(config: &Config, sent: &[(String, String)], topic: Option<&str>, told: &Told) -> (Answers, Faults) {
    let (mut kept, mut wrong) = (Vec::new(), Vec::new());
    let is_asked = |name: &str| config.questions.iter().any(|question| question.name == name);
    let said = |name: &str| sent.iter().find(|(said, _)| said == name).map(|(_, text)| text.as_str());
    for (place, (name, _)) in sent.iter().enumerate() {
        let shown: String = name.chars().take(64).collect();
        if !is_asked(name) && !VOLUNTEERED.iter().any(|(known, _)| known == name) {
            wrong.push((shown, Wrong::Unknown));
        } else if sent.iter().take(place).any(|(earlier, _)| earlier == name) {
            wrong.push((shown, Wrong::Repeated));
        }
    }
    for question in &config.questions {
        let answer = said(&question.name).map_or(Ok(None), |text| question.answer(text));
        let told_email = told.email.clone().filter(|_| question.name == "email");
        let told_name = told.name.clone().filter(|_| question.name == "name");
        match answer.map(|answer| told_email.or(told_name).or(answer)) {
            Ok(Some(answer)) => kept.push((question.name.clone(), answer)),
            Ok(None) if question.required && question.asked_for(topic) => wrong.push((question.name.clone(), Wrong::Required)),
            Ok(None) => {}
            Err(fault) => wrong.push((question.name.clone(), fault)),
        }
    }
    // What was said without being asked is kept as well, and the identity's address in any case: replies by mail go there.
    for (name, kind) in VOLUNTEERED {
        let told = if name == "email" { told.email.clone() } else { told.name.clone().filter(|_| said(name).is_some()) };
        match said(name).filter(|_| !is_asked(name)).map_or(Ok(None), |text| kind.answer(text, &[])) {
            Ok(answer) if !kept.iter().any(|(kept, _)| kept == name) => {
                kept.extend(told.or(answer).map(|answer| (name.to_owned(), answer)));
            }
            Ok(_) => {}
            Err(fault) => wrong.push((name.to_owned(), fault)),
        }
    }
    wrong.truncate(50);
    (kept, wrong)
}

/// The address in a message of a conversation that goes on. What else stands there is not looked at: a first message that is
/// repeated after it was stored brings its answers again.
fn address(sent: &[(String, String)]) -> Result<Option<String>, Wrong> {
    let mut said = sent.iter().filter(|(name, _)| name == "email").map(|(_, value)| value);
    let address = said.next().map_or(Ok(None), |value| Kind::Email.answer(value, &[]))?;
    if said.next().is_some() { Err(Wrong::Repeated) } else { Ok(address) }
}

impl Refusal {
    /// A refusal that says no more than its code.
    pub(crate) const fn of(code: Code) -> Self {
        Self { client_id: None, code, retry_after_s: None, fields: Vec::new() }
    }
}

#[cfg(test)]
mod tests;
