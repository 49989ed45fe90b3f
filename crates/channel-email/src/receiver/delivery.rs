//! A complete message on its way into the inboxes of its mailboxes.

use super::listener::{DECODING_PERMITS, Listener, Route};
use crate::auth::Peer;
use crate::decode::{self, Envelope, Receiving};
use crate::session::{Reply, Transaction};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use switchboard_model::{Authentication, InboundMessage};

/// Bytes of a message for which one permit to decode is enough.
const BYTES_PER_PERMIT: usize = 524_288;

/// Pushes the message into the inbox of every mailbox that it is for. One answer per recipient, in their order;
/// *stored* is said only after the inbox has committed.
pub(super) async fn deliver(
    listener: &Arc<Listener>,
    routes: &[Arc<Route>],
    address: IpAddr,
    transaction: Transaction,
) -> Vec<Reply> {
    let raw = Bytes::from(transaction.bytes);
    let mut addresses: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for recipient in &transaction.recipients {
        addresses.entry(recipient.route).or_default().push(recipient.address.clone());
    }
    let mut answers: BTreeMap<usize, Reply> = BTreeMap::new();
    for (number, addresses) in addresses {
        let route = &routes[number];
        let sender = transaction.sender.clone();
        let is_relay = route.mailbox.authentication.is_relay(address);
        let peer = Peer { address, hello: transaction.hello.clone(), is_relay };
        let authentication = check(route, &raw, &peer, sender.as_deref()).await;
        let message = read(listener, route, raw.clone(), sender, addresses, authentication).await;
        answers.insert(number, push(route, message).await);
    }
    transaction.recipients.iter().map(|recipient| answers[&recipient.route].clone()).collect()
}

async fn push(route: &Route, message: InboundMessage) -> Reply {
    let nature = message.nature;
    let pushed = route.context.inbox.push(message).await;
    let outcome = pushed.as_ref().map_or("refused", |receipt| if receipt.duplicate { "repeated" } else { "taken_in" });
    let labels = [("channel", route.mailbox.slug.clone()), ("outcome", outcome.to_owned())];
    metrics::counter!("switchboard_smtp_mails_total", &labels).increment(1);
    match pushed {
        Ok(receipt) => {
            tracing::debug!(
                channel = route.mailbox.slug,
                message = receipt.message.0,
                duplicate = receipt.duplicate,
                %nature,
                "a mail was taken in"
            );
            Reply::stored()
        }
        Err(error) => {
            tracing::warn!(channel = route.mailbox.slug, kind = ?error.kind, "a mail was not taken in");
            Reply::refused(error.kind)
        }
    }
}

/// Checks the sender, where that is asked for. What a trusted server has written down counts instead only if a relay of
/// ours hands the mail in: everybody else can write the same header.
async fn check(route: &Route, raw: &[u8], peer: &Peer, sender: Option<&str>) -> Option<Authentication> {
    let verifier = route.verifier.as_ref()?;
    if peer.is_relay && decode::is_vouched_for(raw, &route.mailbox) {
        return None;
    }
    let (_, domain) = route.mailbox.parts();
    Some(verifier.check(raw, peer, sender, domain).await)
}

/// Decodes on a thread where it may take its time. Whatever goes wrong there, the mail is kept as it is.
async fn read(
    listener: &Arc<Listener>,
    route: &Arc<Route>,
    raw: Bytes,
    sender: Option<String>,
    recipients: Vec<String>,
    authentication: Option<Authentication>,
) -> InboundMessage {
    let permits = (1 + raw.len() / BYTES_PER_PERMIT).min(DECODING_PERMITS) as u32;
    let permit = Arc::clone(&listener.decoding).acquire_many_owned(permits).await;
    let now = route.context.runtime.clock.now();
    let work = {
        let (route, raw, sender, recipients) = (Arc::clone(route), raw.clone(), sender.clone(), recipients.clone());
        let checked = authentication.clone();
        move || {
            let envelope = Envelope { sender: sender.as_deref(), recipients: &recipients };
            let receiving = Receiving { mailbox: &route.mailbox, signer: &route.signer };
            let decoded = match checked {
                Some(found) => decode::decode_checked(&raw, envelope, receiving, now, found),
                None => decode::decode(&raw, envelope, receiving, now),
            };
            drop(permit);
            decoded
        }
    };
    unless_it_panics(work, || {
        tracing::error!(channel = route.mailbox.slug, bytes = raw.len(), "a mail could not be read and is kept as it came");
        let envelope = Envelope { sender: sender.as_deref(), recipients: &recipients };
        decode::unreadable(&raw, envelope, Receiving { mailbox: &route.mailbox, signer: &route.signer }, authentication)
    })
    .await
}

/// What `work` gives on a thread of its own, or what `otherwise` gives when it panics there.
async fn unless_it_panics<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static, otherwise: impl FnOnce() -> T) -> T {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_panicked| otherwise())
}

#[cfg(test)]
mod tests {
    use super::unless_it_panics;

    #[tokio::test]
    async fn a_panic_while_reading_leads_to_the_other_way() {
        assert_eq!(unless_it_panics(|| "read", || "kept").await, "read");
        assert_eq!(unless_it_panics(|| panic!("a mail that breaks the parser"), || "kept").await, "kept");
    }
}
