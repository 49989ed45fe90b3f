//! Who wrote a mail, and who else got it.

use super::{Envelope, one_line};
use crate::config::Mailbox;
use mail_parser::{Addr, HeaderName, Message};
use std::collections::HashSet;
use switchboard_model::{Address, Identity, Proof, Sender};

/// The identity of mail that names no sender at all; `.invalid` can never be written to (RFC 2606).
pub(super) const NOBODY: &str = "unknown-sender@unknown.invalid";
/// The longest address (RFC 5321 4.5.3.1.3).
const MAX_ADDRESS_BYTES: usize = 254;
/// The longest display name in characters.
const MAX_NAME_CHARS: usize = 200;
/// How many recipients are kept.
const MAX_RECIPIENTS: usize = 500;

/// Who wrote the mail: `From`, else `Sender`, else the envelope.
///
/// A `Reply-To` is not followed, because anybody can point it at anybody. The exception is mail from our own
/// address, such as a web shop's contact form sends: there the `Reply-To` is the only name of the contact, and
/// counts as typed and not as proved.
pub(super) fn sender(message: &Message<'_>, envelope: Envelope<'_>, mailbox: &Mailbox) -> Sender {
    let from = message.from().into_iter().chain(message.sender()).flat_map(|list| list.iter()).find_map(readable);
    if from.as_ref().is_some_and(|from| mailbox.owns(&from.address)) {
        let reply_to = message.reply_to().into_iter().flat_map(|list| list.iter()).find_map(readable);
        if let Some(contact) = reply_to.filter(|contact| !mailbox.owns(&contact.address)) {
            return known(contact, Proof::Typed);
        }
    }
    let unnamed = || Address { name: None, address: envelope_sender(envelope).to_owned() };
    known(from.unwrap_or_else(unnamed), Proof::Channel)
}

/// Whether everybody in `From` is of this domain, and somebody is: what was found out about the domain is about the sender.
pub(super) fn is_only_author(message: &Message<'_>, domain: &str) -> bool {
    let fields = message.headers().iter().filter(|header| header.name == HeaderName::From).count();
    let mut authors = message.from().into_iter().flat_map(|list| list.iter()).peekable();
    let of_domain = |author: &Addr<'_>| {
        let address = author.address().unwrap_or_default().trim();
        address.rsplit_once('@').is_some_and(|(_, of)| of.eq_ignore_ascii_case(domain))
    };
    fields == 1 && authors.peek().is_some() && authors.all(of_domain)
}

/// The return path, or the address that stands for nobody.
pub(super) fn envelope_sender(envelope: Envelope<'_>) -> &str {
    envelope.sender.filter(|address| is_address(address)).unwrap_or(NOBODY)
}

/// Everybody in `To` and `Cc` but the mailbox itself, each once.
pub(super) fn recipients(message: &Message<'_>, mailbox: &Mailbox) -> Vec<Address> {
    let mut seen = HashSet::new();
    let listed = message.all_to().chain(message.all_cc()).flat_map(|list| list.iter());
    listed
        .filter_map(readable)
        .filter(|person| !mailbox.owns(&person.address) && seen.insert(person.address.to_lowercase()))
        .take(MAX_RECIPIENTS)
        .collect()
}

fn known(person: Address, proof: Proof) -> Sender {
    Sender { identity: Identity::email(&person.address), also: Vec::new(), proof, name: person.name }
}

fn readable(listed: &Addr<'_>) -> Option<Address> {
    let address = listed.address()?.trim();
    let name = listed.name().map(|name| one_line(name, MAX_NAME_CHARS));
    let name = name.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(address));
    is_address(address).then(|| Address { name, address: address.to_owned() })
}

/// Whether something could be an address: one that need not be deliverable, but is no prose and no injection.
pub(super) fn is_address(text: &str) -> bool {
    let harmless = |letter: char| !(letter.is_whitespace() || letter.is_control() || matches!(letter, '<' | '>' | ',' | ';'));
    text.len() <= MAX_ADDRESS_BYTES
        && text.chars().all(harmless)
        && text.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}
