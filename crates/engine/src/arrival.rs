//! Turns a stored item into what the router is told about it.

use crate::engine::is_proof;
use crate::error::Result;
use std::collections::BTreeSet;
use switchboard_model::{
    Arrival, ChannelEntry, ContactFacts, FactField, Facts, IdentityKind, InboundMessage, Input, ItemChange, RouteEvent,
    Timestamp, UserId,
};
use switchboard_storage::{Changed, ContactRecord, ItemRecord, NewInput, Tx};

/// Everything besides the item that an arrival is made of.
pub(crate) struct ArrivalParts<'a> {
    pub channel: &'a ChannelEntry,
    pub contact: &'a ContactRecord,
    pub event: RouteEvent,
    /// The message that brought it, if one did.
    pub message: Option<&'a InboundMessage>,
    /// How the contact is known; `None` asks the item's stored identity.
    pub known: Option<Known>,
    pub excluded: Vec<UserId>,
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

/// The arrival of an item, in the version and with the owner that it has.
pub(crate) fn arrival(item: &ItemRecord, parts: &ArrivalParts<'_>) -> Arrival {
    let proof = is_proof(parts.channel.kind, item.identity.as_ref());
    let known = parts.known.unwrap_or(Known { proven: proof, cookie: false });
    Arrival {
        item: item.id,
        version: item.version,
        event: parts.event,
        item_kind: item.kind,
        conversation: item.conversation,
        workspace: item.workspace,
        channel: parts.channel.id,
        group: item.group,
        contact: ContactFacts { id: parts.contact.id, owner: parts.contact.owner, proven: known.proven, cookie: known.cookie },
        facts: facts(item, parts, known),
        previous_owner: item.owner,
        owned_since: item.owned_since,
        excluded: parts.excluded.clone(),
        seed: parts.seed,
    }
}

/// Tells the router of a change that somebody else made. It knows work items only: the conversation of a ticket has
/// an owner of its own, which is nobody's load (ROUTING 5.1, 5.2).
pub(crate) async fn tell_change(tx: &Tx, changed: &Changed, at: Timestamp) -> Result<()> {
    let after = &changed.after;
    if after.routed {
        let change = ItemChange { state: after.state(), assigned: changed.assigned() };
        tx.insert_inputs(&[NewInput { at, item: Some(after.id), input: Input::Changed(change), consumed: None }]).await?;
    }
    Ok(())
}

/// What the router is told of an item that wants an owner.
pub(crate) fn arrival_input(arrival: Arrival, at: Timestamp) -> NewInput {
    NewInput { at, item: Some(arrival.item), input: Input::Arrived(arrival), consumed: None }
}

/// The facts that the channel's rule asks for, and no others: the log keeps no more of a message than rules need.
fn facts(item: &ItemRecord, parts: &ArrivalParts<'_>, known: Known) -> Facts {
    let mut asked = Vec::new();
    for case in parts.channel.rule.iter().flat_map(|rule| &rule.cases) {
        if let Some(condition) = &case.when {
            condition.fields(&mut asked);
        }
    }
    let asked: BTreeSet<FactField> = asked.into_iter().collect();
    asked.into_iter().filter_map(|field| fact(&field.0, item, parts, known).map(|value| (field, value))).collect()
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
        "message.language" => message.and_then(|message| message.language.clone()),
        "message.recipient" => {
            message.map(|message| message.recipients.iter().map(|address| address.address.as_str()).collect::<Vec<_>>().join(" "))
        }
        "message.subject" => item.subject.clone(),
        "message.text" => Some(message.map_or_else(|| item.preview.clone(), |message| message.text.clone())),
        other => {
            let field = other.strip_prefix(FactField::FORM_PREFIX)?;
            message?.fields.iter().find(|(name, _)| name == field).map(|(_, value)| value.clone())
        }
    }
}
