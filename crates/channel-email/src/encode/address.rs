//! Who a mail goes to: what its headers show, and what servers are told.

use super::{named, rejected};
use lettre::Address as MailAddress;
use lettre::message::Mailbox as Named;
use std::collections::BTreeSet;
use switchboard_channel::ChannelError;
use switchboard_model::{Address, OutboundMessage};

/// The recipients of a mail.
pub(super) struct Recipients {
    /// The header `To`.
    pub(super) to: Vec<Named>,
    /// The header `Cc`.
    pub(super) cc: Vec<Named>,
    /// Everybody who is to get it now, nobody twice; never empty.
    pub(super) envelope: Vec<MailAddress>,
    /// One of the addresses has letters beyond ASCII before its `@`.
    pub(super) needs_utf8: bool,
}

impl Recipients {
    /// Those of a message; without any it goes to the contact.
    ///
    /// # Errors
    /// `Rejected` for an address that is none, and when nobody is left to send it to.
    pub(super) fn of(message: &OutboundMessage) -> Result<Self, ChannelError> {
        let contact = [Address { name: None, address: message.identity.value.clone() }];
        let to = listed(if message.to.is_empty() { &contact } else { &message.to })?;
        let (cc, bcc) = (listed(&message.cc)?, listed(&message.bcc)?);
        let mut seen = BTreeSet::new();
        let mut envelope: Vec<MailAddress> = Vec::new();
        for address in to.iter().chain(&cc).chain(&bcc).map(|named| &named.email) {
            if seen.insert(address.to_string().to_lowercase()) {
                envelope.push(address.clone());
            }
        }
        if !message.only.is_empty() {
            let wanted: Vec<String> = message.only.iter().map(|address| address.to_lowercase()).collect();
            envelope.retain(|address| wanted.contains(&address.to_string().to_lowercase()));
        }
        if envelope.is_empty() {
            return Err(rejected("there is nobody left to send it to"));
        }
        let needs_utf8 = envelope.iter().chain(to.iter().chain(&cc).map(|named| &named.email)).any(|one| !one.user().is_ascii());
        Ok(Self { to, cc, envelope, needs_utf8 })
    }
}

/// An address as it is written and as servers are told, with its domain in ASCII (RFC 5890).
///
/// # Errors
/// `Rejected` when it is no address.
pub(super) fn header_address(address: &str) -> Result<MailAddress, ChannelError> {
    let wrong = || rejected("an address of the message is no email address");
    let (local, domain) = address.trim().rsplit_once('@').ok_or_else(wrong)?;
    let domain = if domain.is_ascii() { domain.to_owned() } else { idna::domain_to_ascii(domain).map_err(|_| wrong())? };
    // A space or a control character would end the command that names it.
    if local.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        return Err(wrong());
    }
    MailAddress::new(local, domain).map_err(|_| wrong())
}

fn listed(people: &[Address]) -> Result<Vec<Named>, ChannelError> {
    people.iter().map(|person| Ok(named(person.name.clone(), header_address(&person.address)?))).collect()
}
