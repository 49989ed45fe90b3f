//! Members of a group commit: what each writes waits, goes along with the others', and still fails alone (DESIGN 3.4).
//!
//! Savepoint `member` is always open while a group runs, and begins behind everything that is sure of earlier members.
//! A member that has asked the database for nothing costs it nothing: its writes are *settled* to be written with
//! those of others, before whoever reads next, at the latest before the commit. Should they fail together, each
//! member's are written by themselves, in a savepoint of its own (SQLite only; on PostgreSQL nothing waits).

use crate::error::{StoreError, StoreErrorKind};
use crate::foresight::Foresight;
use crate::held::{Size, Writes};
use crate::row::{Db, failed, flush, flush_and, usable, write};
use crate::store::Tx;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use std::sync::{MutexGuard, PoisonError};

/// The next member begins.
const NEXT: &str = "RELEASE SAVEPOINT member; SAVEPOINT member";
/// The member under way has not been.
const UNDO: &str = "ROLLBACK TO SAVEPOINT member; RELEASE SAVEPOINT member; SAVEPOINT member";

/// What a member may have to be written together with others; copies are kept until that has gone well.
const MAX_SETTLED_BYTES: usize = 200_000;

/// What a transaction has not written yet, and how far its group is.
#[derive(Default)]
pub(crate) struct Held {
    /// Of the member under way, or of the transaction where there is no group.
    own: Writes,
    /// Something of the member under way was done in the database.
    is_touched: bool,
    /// Of members that have ended well, by their numbers.
    settled: Vec<(usize, Writes)>,
    settled_size: Size,
    /// Settled writes are on their way to the database.
    is_settling: bool,
    /// Members whose settled writes failed.
    failed: Vec<(usize, StoreError)>,
    /// The transaction has ended by itself.
    broken: Option<StoreError>,
    /// What was read ahead for the members.
    pub(crate) foresight: Foresight,
}

impl Tx {
    /// Opens the savepoint of the first member.
    pub(crate) async fn begin_group(&self) -> Result<(), StoreError> {
        self.do_between("SAVEPOINT member").await
    }

    /// A member begins.
    pub(crate) fn begin_member(&self) {
        let mut held = self.held();
        held.own = Writes::default();
        held.is_touched = false;
    }

    /// The member has ended well. Its last writes may be what fails now; those that are settled may fail later, see
    /// [`Tx::failed_members`].
    pub(crate) async fn end_member(&self, number: usize) -> Result<(), StoreError> {
        self.whole()?;
        let is_full = {
            let mut held = self.held();
            let is_alone = self.is_shared() || held.is_touched || held.own.size().bytes > MAX_SETTLED_BYTES;
            if is_alone {
                None
            } else {
                let own = std::mem::take(&mut held.own);
                held.settled_size = held.settled_size.and(own.size());
                if !own.is_empty() {
                    held.settled.push((number, own));
                }
                Some(held.settled_size.is_large())
            }
        };
        match is_full {
            Some(false) => Ok(()),
            Some(true) => self.write_settled().await,
            None => {
                self.ready("").await?;
                self.do_between(NEXT).await
            }
        }
    }

    /// Takes back what the member has done. An error says that the transaction is gone.
    pub(crate) async fn undo_member(&self) -> Result<(), StoreError> {
        self.whole()?;
        let is_touched = {
            let mut held = self.held();
            held.own = Writes::default();
            held.is_touched
        };
        // A statement that only read may have found the transaction gone.
        if self.is_shared() || is_touched || self.has_failed() { self.undo().await } else { Ok(()) }
    }

    /// Writes what members that have ended well have left. This may run within the member under way, which may break off.
    pub(crate) async fn write_settled(&self) -> Result<(), StoreError> {
        self.whole()?;
        let settled = {
            let mut held = self.held();
            held.is_settling = true;
            held.settled_size = Size::default();
            std::mem::take(&mut held.settled)
        };
        self.write_each(settled).await?;
        self.held().is_settling = false;
        Ok(())
    }

    /// Writes what members have left together, or, should that fail, one member's after the other's.
    async fn write_each(&self, settled: Vec<(usize, Writes)>) -> Result<(), StoreError> {
        if settled.len() > 1 {
            let mut together = Writes::default();
            settled.iter().for_each(|(_, writes)| together.join(writes.clone()));
            if write(self, together, NEXT).await.is_ok() {
                return Ok(());
            }
            self.undo().await?;
        }
        for (number, writes) in settled {
            if let Err(error) = write(self, writes, NEXT).await {
                self.undo().await?;
                self.held().failed.push((number, error));
            }
        }
        Ok(())
    }

    /// Members that seemed to have ended well and whose writes failed afterwards.
    pub(crate) fn failed_members(&self) -> Vec<(usize, StoreError)> {
        std::mem::take(&mut self.held().failed)
    }

    /// For statements that do not go through [`crate::row`].
    pub(crate) async fn direct(&self) -> Result<&DatabaseTransaction, StoreError> {
        usable(self)?;
        self.ready("").await?;
        flush(self).await?;
        Ok(self.conn())
    }

    /// What has to be done before a statement of the member under way.
    pub(crate) async fn make_ready(&self, sql: &str) -> Result<(), StoreError> {
        let has_settled = {
            let mut held = self.held();
            held.foresight.will_run(sql);
            !held.settled.is_empty()
        };
        if has_settled {
            self.write_settled().await?;
        }
        let mut held = self.held();
        if !held.own.is_empty() || !sql.starts_with("SELECT") {
            held.is_touched = true;
        }
        Ok(())
    }

    /// Keeps writes of the member under way; gives all of them back when they are too many.
    pub(crate) fn hold(&self, writes: Writes) -> Option<Writes> {
        let mut held = self.held();
        held.foresight.will_write(&writes);
        held.own.join(writes);
        held.own.size().is_large().then(|| std::mem::take(&mut held.own))
    }

    pub(crate) fn take_held(&self) -> Option<Writes> {
        let own = std::mem::take(&mut self.held().own);
        (!own.is_empty()).then_some(own)
    }

    pub(crate) fn has_broken(&self) -> Option<StoreError> {
        self.held().broken.clone()
    }

    /// Whether the transaction holds everything that members were told to be written. Settled writes whose statement was
    /// given up on its way, as by a panic, may be there or not.
    pub(crate) fn whole(&self) -> Result<(), StoreError> {
        let mut held = self.held();
        if held.is_settling && held.broken.is_none() {
            let message = "writes of a group were broken off on their way; the group was rolled back";
            held.broken = Some(StoreError::new(StoreErrorKind::Internal, message));
        }
        held.broken.clone().map_or(Ok(()), Err)
    }

    pub(crate) async fn undo(&self) -> Result<(), StoreError> {
        let cause = self.take_failure();
        let undone = self.conn().execute_unprepared(UNDO).await.map_err(|error| failed(self, error));
        let Err(error) = undone else { return Ok(()) };
        let cause = cause.unwrap_or(error);
        self.held().broken = Some(cause.clone());
        Err(cause)
    }

    /// Goes from one savepoint to the next. SQLite rolls a whole transaction back when the disk is full; then the
    /// savepoint is gone, and the member's failure says why.
    async fn do_between(&self, sql: &str) -> Result<(), StoreError> {
        let cause = self.take_failure();
        flush_and(self, sql).await.map_err(|error| cause.unwrap_or(error))
    }

    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
