//! What all connections and requests of one chat share, and who gets in.

use crate::config::Config;
use crate::files::Uploads;
use crate::hub::Hub;
use crate::limits::{Held, KeyedLimit, Place};
use crate::relay::Links;
use crate::stay::Presence;
use crate::token::{Owner, Signer};
use std::net::IpAddr;
use std::sync::Arc;
use switchboard_channel::{Context, Signal};
use switchboard_model::ConversationId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One chat at work.
pub(crate) struct Door {
    pub(crate) config: Arc<Config>,
    pub(crate) context: Context,
    pub(crate) signer: Signer,
    pub(crate) hub: Arc<Hub>,
    pub(crate) uploads: Arc<Uploads>,
    /// Connections over plain HTTP.
    pub(crate) links: Arc<Links>,
    /// What the desk was told of who is connected.
    pub(crate) presence: Presence,
    /// Messages of one visitor.
    pub(crate) of_visitor: KeyedLimit<Owner>,
    /// Messages from one address.
    pub(crate) of_address: KeyedLimit<IpAddr>,
    pub(crate) transfers: KeyedLimit<IpAddr>,
    pub(crate) downloads: KeyedLimit<IpAddr>,
    connects: KeyedLimit<IpAddr>,
    held: Arc<Held>,
    places: Arc<Semaphore>,
}

/// A connection's place, given back when dropped.
pub(crate) struct Admission {
    channel: String,
    _place: Place,
    _permit: OwnedSemaphorePermit,
}

/// Why a connection gets no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The address has too many, or comes too often; welcome after so many seconds.
    Address { retry_after_s: u64 },
    /// There are too many in all.
    House,
}

impl Door {
    /// A chat with its context.
    pub(crate) fn new(config: &Arc<Config>, context: &Context, hub: &Arc<Hub>, uploads: &Arc<Uploads>) -> Self {
        let clock = || Arc::clone(&context.runtime.clock);
        let limits = &config.limits;
        let even = |per_minute: u32| KeyedLimit::new(per_minute, per_minute, clock());
        Self {
            config: Arc::clone(config),
            context: context.clone(),
            signer: Signer::new(Arc::clone(&context.runtime.secret), &config.slug),
            hub: Arc::clone(hub),
            uploads: Arc::clone(uploads),
            links: Arc::default(),
            presence: Presence::default(),
            of_visitor: KeyedLimit::new(limits.messages_per_minute, limits.message_burst, clock()),
            of_address: KeyedLimit::new(limits.address_messages_per_minute, limits.address_message_burst, clock()),
            transfers: even(limits.uploads_per_minute),
            downloads: even(limits.uploads_per_minute.saturating_mul(10)),
            connects: even(limits.connects_per_minute),
            held: Arc::default(),
            places: Arc::new(Semaphore::new(limits.connections)),
        }
    }

    /// A place for a connection of this address.
    pub(crate) fn admit(&self, address: IpAddr) -> Result<Admission, Full> {
        self.connects.take(&address).map_err(|retry_after_s| Full::Address { retry_after_s })?;
        let place = self.held.take(address, self.config.limits.connections_per_address);
        let place = place.ok_or(Full::Address { retry_after_s: 30 })?;
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Full::House)?;
        let channel = self.config.slug.clone();
        metrics::gauge!("switchboard_chat_connections", "channel" => channel.clone()).increment(1.0);
        Ok(Admission { channel, _place: place, _permit: permit })
    }

    /// Tells the desk something about a conversation. What fails is not worth a repetition.
    pub(crate) async fn signal(&self, conversation: ConversationId, signal: Signal) {
        if let Err(error) = self.context.threads.signal(conversation, signal).await {
            tracing::debug!(channel = %self.config.slug, %error, "a signal was lost");
        }
    }

    /// Counts something that happened, by its code.
    pub(crate) fn count(&self, metric: &'static str, code: &'static str) {
        metrics::counter!(metric, "channel" => self.config.slug.clone(), "code" => code).increment(1);
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        metrics::gauge!("switchboard_chat_connections", "channel" => self.channel.clone()).decrement(1.0);
    }
}
