//! Work that has to wait its turn: so much at once in all, and one at a time for each address, so that whoever brings
//! much work waits behind themselves and not before others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The queue of one kind of work.
pub(crate) struct Turns {
    places: Arc<Semaphore>,
    of_address: Mutex<HashMap<IpAddr, Weak<Semaphore>>>,
}

/// A turn, over when dropped.
pub(crate) struct Turn {
    // In this order: whoever of the same address comes next has to find a place again.
    _place: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
}

impl Turns {
    /// So many at once.
    pub(crate) fn new(at_once: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(at_once)), of_address: Mutex::default() }
    }

    /// Waits for a turn of this address.
    pub(crate) async fn take(&self, address: IpAddr) -> Turn {
        let own = acquired(self.of(address)).await;
        let place = acquired(Arc::clone(&self.places)).await;
        Turn { _place: place, _own: own }
    }

    /// The address's own queue. Those that nobody stands in are forgotten.
    fn of(&self, address: IpAddr) -> Arc<Semaphore> {
        let mut of_address = self.of_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = of_address.get(&address).and_then(Weak::upgrade) {
            return own;
        }
        of_address.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(1));
        of_address.insert(address, Arc::downgrade(&own));
        own
    }
}

async fn acquired(semaphore: Arc<Semaphore>) -> OwnedSemaphorePermit {
    semaphore.acquire_owned().await.expect("the semaphore is never closed")
}

#[cfg(test)]
mod tests {
    use super::Turns;
    use futures::FutureExt;
    use std::net::{IpAddr, Ipv4Addr};

    const fn address(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
    }

    #[tokio::test]
    async fn an_address_with_much_work_waits_behind_itself() {
        let turns = Turns::new(2);
        let first = turns.take(address(1)).await;
        let mut second = std::pin::pin!(turns.take(address(1)));
        assert!(second.as_mut().now_or_never().is_none(), "one at a time");
        let other = turns.take(address(2)).now_or_never().expect("others have their place");
        let mut third = std::pin::pin!(turns.take(address(3)));
        assert!(third.as_mut().now_or_never().is_none(), "two in all");
        drop(first);
        assert!(third.as_mut().now_or_never().is_some(), "who has waited for a place longest");
        drop(other);
        assert!(second.as_mut().now_or_never().is_some());
        assert!(turns.of_address.lock().expect("not poisoned").len() <= 3);
    }

    #[tokio::test]
    async fn addresses_without_work_are_forgotten() {
        let turns = Turns::new(2);
        for last in 0..=255 {
            drop(turns.take(address(last)).await);
        }
        assert_eq!(turns.of_address.lock().expect("not poisoned").len(), 1);
    }
}
