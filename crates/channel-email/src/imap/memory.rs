//! What is remembered of a mailbox from one session to the next, while the process lives. Nothing is lost with it.

use super::oauth::Tokens;
use crate::config::{ImapConfig, SignIn};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// The memory of one mailbox.
pub(super) struct Memory {
    tokens: Option<Tokens>,
    /// Attempts in a row that came to nothing, and when the last one ended.
    failures: u32,
    failed_at: Option<Instant>,
    /// Whether a session has worked since the last error that was shown.
    has_worked: bool,
    uid_validity: Option<u32>,
    /// The last mail that was looked at, where nothing on the server says so.
    last_uid: u32,
    counts_on: bool,
    /// Mails that cannot be had.
    left: BTreeSet<u32>,
    /// Mails that are taken in and look new all the same, because they could not be marked or moved.
    taken: BTreeMap<u32, Settling>,
    /// Where a fetch did not come to its end.
    suspicion: Option<Suspicion>,
}

/// How far a mail that was taken in has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Settling {
    /// How often the server said that all was done.
    pub(super) accepted: u32,
    /// Whether it lies where it is to be moved to.
    pub(super) is_copied: bool,
}

/// Somewhere up to a mail, a fetch breaks the connection.
struct Suspicion {
    /// The last mail that may be the one.
    until: u32,
    /// The mail that is being fetched alone, and how often it has been.
    alone: Option<(u32, u32)>,
}

/// How many mails that cannot be had are remembered.
const MAX_LEFT: usize = 10_000;
/// How many mails that were taken in and look new are remembered; what is more is fetched again, and nothing comes twice.
const MAX_TAKEN: usize = 100_000;

impl Memory {
    /// Nothing yet. `counts_on` says that the last number is what tells new mail from old.
    pub(super) fn new(config: &ImapConfig, counts_on: bool) -> Self {
        let tokens = match &config.sign_in {
            SignIn::Password(_) => None,
            SignIn::Oauth(oauth) => Some(Tokens::new(oauth.clone())),
        };
        Self {
            tokens,
            failures: 0,
            failed_at: None,
            has_worked: false,
            uid_validity: None,
            last_uid: 0,
            counts_on,
            left: BTreeSet::new(),
            taken: BTreeMap::new(),
            suspicion: None,
        }
    }

    /// The access tokens, where there are any.
    pub(super) const fn tokens(&mut self) -> Option<&mut Tokens> {
        self.tokens.as_mut()
    }

    /// How many attempts in a row came to nothing, and when the last one ended.
    pub(super) const fn failures(&self) -> (u32, Option<Instant>) {
        (self.failures, self.failed_at)
    }

    /// Another attempt came to nothing.
    pub(super) fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
        self.failed_at = Some(Instant::now());
    }

    /// The session works.
    pub(super) const fn worked(&mut self) {
        (self.failures, self.has_worked) = (0, true);
    }

    /// Whether a session has worked since an error was shown.
    pub(super) const fn has_worked(&self) -> bool {
        self.has_worked
    }

    /// An error is shown.
    pub(super) const fn shown(&mut self) {
        self.has_worked = false;
    }

    /// The folder that was opened has this validity; true when its numbers are not those of before.
    pub(super) fn folder_is(&mut self, validity: Option<u32>) -> bool {
        let is_known = validity.is_some() && self.uid_validity == validity;
        let is_changed = self.uid_validity.is_some() && !is_known;
        if !is_known {
            self.uid_validity = validity;
            self.last_uid = 0;
            self.left.clear();
            self.taken.clear();
            self.suspicion = None;
        }
        is_changed
    }

    /// The last number that was looked through.
    pub(super) const fn last_uid(&self) -> u32 {
        self.last_uid
    }

    /// Mails up to the last of these, ascending, need not be looked at again.
    pub(super) fn looked_through(&mut self, uids: &[u32]) {
        self.last_uid = uids.last().copied().unwrap_or_default().max(self.last_uid);
    }

    /// Whether a mail that was found is to be taken in.
    pub(super) fn is_new(&self, uid: u32) -> bool {
        !self.left.contains(&uid) && !self.taken.contains_key(&uid) && (!self.counts_on || uid > self.last_uid)
    }

    /// These cannot be had.
    pub(super) fn leave(&mut self, uids: &[u32]) {
        let room = MAX_LEFT.saturating_sub(self.left.len());
        self.left.extend(uids.iter().take(room));
    }

    /// These are taken in.
    pub(super) fn took(&mut self, uids: &[u32]) {
        let room = if self.counts_on { 0 } else { MAX_TAKEN.saturating_sub(self.taken.len()) };
        self.taken.extend(uids.iter().take(room).map(|uid| (*uid, Settling::default())));
    }

    /// A look found these, ascending: of all others that were taken in, nothing need be known any more.
    pub(super) fn found(&mut self, uids: &[u32]) {
        self.taken.retain(|uid, _| uids.binary_search(uid).is_ok());
    }

    /// The mails that were taken in and look new, ascending.
    pub(super) fn unsettled(&self) -> Vec<u32> {
        self.taken.keys().copied().collect()
    }

    /// How far a mail that was taken in has come.
    pub(super) fn settling(&self, uid: u32) -> Settling {
        self.taken.get(&uid).copied().unwrap_or_default()
    }

    /// Changes how far mails that were taken in have come.
    pub(super) fn settle(&mut self, uids: &[u32], change: impl Fn(&mut Settling)) {
        for uid in uids {
            self.taken.get_mut(uid).into_iter().for_each(&change);
        }
    }

    /// Mails are being fetched, ascending; how often that was begun with the same single mail.
    pub(super) fn fetching(&mut self, first: u32, last: u32) -> u32 {
        let suspicion = self.suspicion.get_or_insert(Suspicion { until: last, alone: None });
        suspicion.until = suspicion.until.max(last);
        let times = match suspicion.alone {
            Some((uid, times)) if uid == first && first == last => times + 1,
            _ => 1,
        };
        suspicion.alone = (first == last).then_some((first, times));
        times
    }

    /// What was being fetched, up to this mail, has come to its end.
    pub(super) fn fetched(&mut self, last: u32) {
        self.suspicion = self.suspicion.take().filter(|suspicion| last < suspicion.until);
        if let Some(suspicion) = &mut self.suspicion {
            suspicion.alone = None;
        }
    }

    /// Whether a fetch did not come to its end, so that mails are fetched one by one until it is known at which.
    pub(super) const fn is_careful(&self) -> bool {
        self.suspicion.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;
    use crate::config::tests::config;

    fn memory(counts_on: bool) -> Memory {
        let config = config("address = \"help@shop.test\"\n[imap]\nhost = \"mail.test\"\npassword = \"p\"");
        Memory::new(&config.imap.expect("a mailbox"), counts_on)
    }

    #[test]
    fn after_a_broken_fetch_each_of_its_mails_is_fetched_alone_and_counted() {
        let mut memory = memory(false);
        memory.fetching(1, 9);
        assert!(memory.is_careful());
        assert_eq!(memory.fetching(1, 1), 1);
        memory.fetched(1);
        assert!(memory.is_careful(), "mails 2 to 9 may be the one");
        assert_eq!((memory.fetching(2, 2), memory.fetching(2, 2), memory.fetching(2, 2)), (1, 2, 3));
        memory.fetched(2);
        assert_eq!(memory.fetching(9, 9), 1);
        memory.fetched(9);
        assert!(!memory.is_careful());
    }

    #[test]
    fn what_was_taken_in_is_not_new_until_it_was_settled_and_comes_back() {
        let mut memory = memory(false);
        memory.took(&[3, 5]);
        assert!(!memory.is_new(3) && !memory.is_new(5) && memory.is_new(4));
        memory.settle(&[3, 4], |settling| settling.is_copied = true);
        assert!(memory.settling(3).is_copied && !memory.settling(4).is_copied && !memory.settling(5).is_copied);
        memory.found(&[3, 9]);
        assert_eq!(memory.unsettled(), [3]);
        assert!(memory.is_new(5), "somebody has taken its flag away since");
        assert!(!memory.folder_is(Some(1)) && memory.is_new(3));
        memory.took(&(0..200_000).collect::<Vec<_>>());
        assert_eq!(memory.unsettled().len(), super::MAX_TAKEN);
    }

    #[test]
    fn new_numbers_forget_what_the_old_ones_meant() {
        let mut memory = memory(true);
        assert!(!memory.folder_is(Some(7)));
        memory.looked_through(&[3, 8]);
        memory.leave(&[9]);
        assert!(!memory.is_new(8) && !memory.is_new(9) && memory.is_new(10));
        assert!(!memory.folder_is(Some(7)) && !memory.is_new(8));
        assert!(memory.folder_is(Some(8)) && memory.is_new(8) && memory.is_new(9));
        memory.looked_through(&[8]);
        assert!(memory.folder_is(None) && memory.is_new(1), "numbers of unknown validity are never trusted");
    }
}
