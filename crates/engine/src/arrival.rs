//! Turns a stored item into what the router is told about it.

use crate::engine::is_proof;
use crate::error::Result;
use std::collections::BTreeSet;
use switchboard_model::{
    Arrival, ChannelEntry, ChannelKind, ContactFacts, Directory, FactField, Facts, IdentityKind, InboundMessage, Input,
    ItemChange, Owner, Proof, QueueFacts, Revision, RouteEvent, Timestamp, UserId,
};
use switchboard_storage::{Changed, ContactRecord, ItemRecord, NewInput, Said, Tx};

/// Everything besides the item that an arrival is made of.
pub(crate) struct ArrivalParts<'a> {
    pub channel: &'a ChannelEntry,
    pub contact: &'a ContactRecord,
    pub event: RouteEvent,
    /// The message that brought it, if one did.
    pub message: Option<&'a InboundMessage>,
    /// What the conversation has said besides, where rules ask for it.
    pub said: Said,
    /// How the contact is known.
    pub known: Known,
    pub excluded: Vec<UserId>,
    /// Who owned the contact's last item, and when last.
    pub last_owner: Option<(UserId, Timestamp)>,
    /// The workspace's skill rules are asked besides the channel's rule.
    pub directory: &'a Directory,
    pub seed: u64,
}

/// How far a sender is proven to be the contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// By the channel's own proof.
    pub proven: bool,
    /// By the channel's cookie.
    pub cookie: bool,
}

impl Known {
    /// What was kept with a message.
    pub(crate) const fn of(proof: Proof) -> Self {
        Self { proven: !matches!(proof, Proof::Typed), cookie: matches!(proof, Proof::Cookie) }
    }

    /// What is kept with a message: how far the sender is the contact, whatever else the channel vouches for.
    pub(crate) const fn proof(self) -> Proof {
        match (self.proven, self.cookie) {
            (false, _) => Proof::Typed,
            (true, false) => Proof::Channel,
            (true, true) => Proof::Cookie,
        }
    }
}

/// How the contact of an item is known when no message of theirs is at hand: by their own last one, as it was proven when it
/// came, and by no message of anybody else who takes part. An item that the contact has written nothing in was begun by
/// somebody who knew whom it is for.
pub(crate) async fn known_again(tx: &Tx, item: &ItemRecord, channel: &ChannelEntry) -> Result<Known> {
    let kept = match (item.conversation, item.contact) {
        (Some(conversation), Some(contact)) => tx.proof_of(conversation, contact).await?,
        _ => None,
    };
    let unasked = || Known { proven: is_proof(channel.kind, item.identity.as_ref()), cookie: false };
    Ok(kept.map_or_else(unasked, Known::of))
}

/// The arrival of an item, in the version and with the owner that it has.
pub(crate) fn arrival(item: &ItemRecord, parts: &ArrivalParts<'_>) -> Arrival {
    let known = parts.known;
    Arrival {
        item: item.id,
        version: item.version,
        event: parts.event,
        item_kind: item.kind,
        conversation: item.conversation,
        workspace: item.workspace,
        channel: parts.channel.id,
        group: item.group,
        contact: ContactFacts {
            id: parts.contact.id,
            owner: parts.contact.owner,
            proven: known.proven,
            cookie: known.cookie,
            last_owner: parts.last_owner.map(|(owner, _)| owner),
            last_owned_at: parts.last_owner.map(|(_, at)| at),
        },
        facts: facts(item, parts, known),
        previous_owner: item.owner,
        owned_since: item.owned_since,
        excluded: parts.excluded.clone(),
        seed: parts.seed,
        created_at: Some(item.created_at),
        waiting_on_contact: item.waits_on_contact(),
        queue: QueueFacts { priority: item.priority, due_at: item.due_at, since: item.queued_since },
    }
}

/// Who owned the contact's last item besides this one, and when last; asked only where a case of the rule puts the last
/// owner first (ROUTING 7.6).
pub(crate) async fn last_owner(tx: &Tx, item: &ItemRecord, channel: &ChannelEntry) -> Result<Option<(UserId, Timestamp)>> {
    let asks = channel.rule.iter().flat_map(|rule| &rule.cases).any(|case| case.affinity_days.is_some());
    match item.contact.filter(|_| asks) {
        Some(contact) => Ok(tx.last_owner_of(contact, item.id).await?),
        None => Ok(None),
    }
}

/// Tells the router of a change that somebody else made. It knows work items only: the conversation of a ticket has
/// an owner of its own, which is nobody's load (ROUTING 5.1, 5.2).
pub(crate) async fn tell_change(tx: &Tx, changed: &Changed, at: Timestamp) -> Result<()> {
    let after = &changed.after;
    if after.routed {
        let change = ItemChange { state: after.state(), assigned: changed.assigned() };
        let mut inputs = vec![NewInput { at, item: Some(after.id), input: Input::Changed(change), consumed: None }];
        if after.queued_since.is_some() {
            inputs.push(revised_input(after, at));
        }
        tx.append_inputs(&inputs).await?;
    }
    Ok(())
}

/// Tells the router whose turn it is after a message, where that counts: the owner leaves out of capacity what waits on
/// the contact (ROUTING 5.5), or the item waits for an owner.
pub(crate) async fn tell_turn(tx: &Tx, directory: &Directory, item: &ItemRecord, at: Timestamp) -> Result<()> {
    let owner = match item.owner {
        Some(Owner::User { id }) => directory.user(id),
        _ => None,
    };
    let counts = owner.is_some_and(|owner| owner.capacity.leave_out.waiting_on_contact) || item.queued_since.is_some();
    if item.routed && counts {
        let change = ItemChange { state: item.state(), assigned: false };
        tx.append_inputs(&[NewInput { at, item: Some(item.id), input: Input::Changed(change), consumed: None }]).await?;
    }
    Ok(())
}

/// What the router is told of an item that goes on waiting: its version, and what its place depends on.
pub(crate) fn revised_input(item: &ItemRecord, at: Timestamp) -> NewInput {
    let revision = Revision { item: item.id, version: item.version, priority: item.priority, due_at: item.due_at };
    NewInput { at, item: Some(item.id), input: Input::Revised(revision), consumed: None }
}

/// What the router is told of an item that wants an owner.
pub(crate) fn arrival_input(arrival: Arrival, at: Timestamp) -> NewInput {
    NewInput { at, item: Some(arrival.item), input: Input::Arrived(arrival), consumed: None }
}

/// What the conversation that an item is of has said before: its fields (a form, or what a chat began with) and its
/// language. Asked only where rules ask for either and the message at hand does not say it, so that a chat that is routed
/// again is routed by the page and topic that it began with.
pub(crate) async fn said(
    tx: &Tx,
    directory: &Directory,
    item: &ItemRecord,
    channel: &ChannelEntry,
    message: Option<&InboundMessage>,
) -> Result<Said> {
    let asks = asked(directory, item, channel).iter().any(|FactField(name)| match name.strip_prefix(FactField::FORM_PREFIX) {
        Some(field) => message.is_none_or(|message| leaves_open(message, field, channel)),
        None => name == "message.language" && message.is_none_or(|message| message.language.is_none()),
    });
    match item.conversation.filter(|_| asks) {
        Some(conversation) => Ok(tx.said_in(conversation).await?),
        None => Ok(Said::default()),
    }
}

/// The facts that the channel's rule and the workspace's skill rules ask for, and no others: the log keeps no more of a message than rules need.
fn facts(item: &ItemRecord, parts: &ArrivalParts<'_>, known: Known) -> Facts {
    let asked = asked(parts.directory, item, parts.channel);
    asked.into_iter().filter_map(|field| fact(&field.0, item, parts, known).map(|value| (field, value))).collect()
}

fn asked(directory: &Directory, item: &ItemRecord, channel: &ChannelEntry) -> BTreeSet<FactField> {
    let mut asked = Vec::new();
    let cases = channel.rule.iter().flat_map(|rule| &rule.cases).filter_map(|case| case.when.as_ref());
    let workspace = directory.workspace(item.workspace);
    let skills = workspace.iter().flat_map(|workspace| &workspace.skill_rules).filter_map(|rule| rule.when.as_ref());
    for condition in cases.chain(skills) {
        condition.fields(&mut asked);
    }
    asked.into_iter().collect()
}

fn fact(name: &str, item: &ItemRecord, parts: &ArrivalParts<'_>, known: Known) -> Option<String> {
    let message = parts.message;
    match name {
        "channel.kind" => Some(parts.channel.kind.to_string()),
        "channel.slug" => Some(parts.channel.slug.clone()),
        "contact.email" => {
            item.identity.as_ref().filter(|identity| identity.kind == IdentityKind::Email).map(|identity| identity.value.clone())
        }
        "contact.has_owner" => Some(parts.contact.owner.is_some().to_string()),
        "contact.known" => Some(known.proven.to_string()),
        "contact.name" => parts.contact.name.clone(),
        "message.has_attachment" => message.map(|message| (!message.attachments.is_empty()).to_string()),
        "message.language" => message.and_then(|message| message.language.clone()).or_else(|| parts.said.language.clone()),
        "message.recipient" => {
            message.map(|message| message.recipients.iter().map(|address| address.address.as_str()).collect::<Vec<_>>().join(" "))
        }
        "message.subject" => item.subject.clone(),
        "message.text" => Some(message.map_or_else(|| item.preview.clone(), |message| message.text.clone())),
        other => {
            let field = other.strip_prefix(FactField::FORM_PREFIX)?;
            let now = message.filter(|message| !leaves_open(message, field, parts.channel)).map(|message| &message.fields);
            now.unwrap_or(&parts.said.fields).iter().find(|(name, _)| name == field).map(|(_, value)| value.clone())
        }
    }
}

/// Whether a message says nothing about a field, so that what was said before counts. A form is filled in as a whole; what a
/// later message of a chat says, such as an address, stands beside what the chat began with.
fn leaves_open(message: &InboundMessage, field: &str, channel: &ChannelEntry) -> bool {
    message.fields.is_empty() || (channel.kind == ChannelKind::Chat && !message.fields.iter().any(|(name, _)| name == field))
}
