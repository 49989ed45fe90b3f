//! The group writer: many small writes, one commit.
//!
//! One task takes whatever has gathered, runs each member in a savepoint of its own, commits once and then
//! answers all (DESIGN 3.4). It is returned as a future, because spawning is the host's business.

use crate::error::{StoreError, StoreErrorKind};
use crate::foresight::Question;
use crate::store::{Store, Tx};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use tokio::sync::{mpsc, oneshot};

/// Most members of a group on PostgreSQL, where a transaction with more than 64 subtransactions makes every
/// other session's snapshots slower.
const SHARED_BATCH: usize = 60;

/// How a group writer works.
#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    /// How many jobs may wait; more are refused as `Busy`.
    pub queue: usize,
    /// How many jobs share one commit at most (60 on PostgreSQL).
    pub batch: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { queue: 4_096, batch: 256 }
    }
}

/// Hands jobs to the group writer. Clones share the queue.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
}

/// A job that waits.
trait Job: Send {
    /// What it is going to ask the database.
    fn take_questions(&mut self) -> Vec<Question>;

    /// Runs the work; answers whether it went well, and what to say after the commit.
    fn run<'t>(self: Box<Self>, tx: &'t Tx) -> BoxFuture<'t, (bool, Box<dyn Reply>)>;

    /// There was no transaction to run in.
    fn refuse(self: Box<Self>, error: &StoreError);
}

/// An answer that waits for the commit.
trait Reply: Send {
    fn settle(self: Box<Self>, commit: &Result<(), StoreError>);
}

struct Member<T, E, F> {
    questions: Vec<Question>,
    work: F,
    answer: oneshot::Sender<Result<T, E>>,
}

struct Answer<T, E> {
    result: Result<T, E>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl Writer {
    /// Runs `work` in a savepoint of the next group commit and answers after the commit.
    ///
    /// A failing or panicking member is rolled back alone. A cancelled caller does not cancel the job.
    ///
    /// # Errors
    /// What `work` returned; `Busy` when the queue is full; `Unknown` when the commit failed; `Full` when it
    /// failed because the disk is full; `Internal` after a panic; the reason when no transaction could be
    /// opened or it broke down before the commit; `Unreachable` when the task has ended.
    pub async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        self.run_asking(Vec::new(), work).await
    }

    /// As [`Writer::run`], for work that says what it is going to ask: that is read for all members of a group at once,
    /// where that helps. Work that asks something else, or not what it has said, gets its answers all the same.
    ///
    /// # Errors
    /// As [`Writer::run`].
    pub async fn run_asking<T, E, F>(&self, questions: Vec<Question>, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Box::new(Member { questions, work, answer })).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => StoreError::new(StoreErrorKind::Busy, "too many writes wait already"),
            mpsc::error::TrySendError::Closed(_) => ended(),
        })?;
        match answered.await {
            Ok(result) => result,
            // The task was dropped between taking the job and answering: the commit may have happened.
            Err(_) => Err(StoreError::new(StoreErrorKind::Unknown, "the writer stopped before it answered").into()),
        }
    }

    /// How many jobs wait.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}

impl Store {
    /// A group writer and the task that serves it, which the host spawns. The task ends when every clone of the
    /// writer is gone and the queue is empty.
    #[must_use]
    pub fn writer(&self, options: WriterOptions) -> (Writer, BoxFuture<'static, ()>) {
        let (queue, jobs) = mpsc::channel(options.queue.max(1));
        let limit = if self.is_shared() { options.batch.min(SHARED_BATCH) } else { options.batch };
        (Writer { queue }, serve(self.clone(), jobs, limit.max(1)).boxed())
    }
}

async fn serve(store: Store, mut jobs: mpsc::Receiver<Box<dyn Job>>, limit: usize) {
    let mut group = Vec::with_capacity(limit);
    while jobs.recv_many(&mut group, limit).await > 0 {
        let tx = match store.begin().await {
            Ok(tx) => tx,
            Err(error) => {
                group.drain(..).for_each(|job| job.refuse(&error));
                continue;
            }
        };
        // Others have come while the transaction was waited for.
        while group.len() < limit
            && let Ok(job) = jobs.try_recv()
        {
            group.push(job);
        }
        run_group(tx, &mut group).await;
    }
}

async fn run_group(tx: Tx, group: &mut Vec<Box<dyn Job>>) {
    let questions: Vec<Question> = group.iter_mut().flat_map(|job| job.take_questions()).collect();
    let mut replies = BTreeMap::new();
    let mut jobs = group.drain(..).enumerate();
    let (end, failed) = match run_members(&tx, &questions, &mut jobs, &mut replies).await {
        Ok(()) => {
            let failed = tx.failed_members();
            (tx.commit().await, failed)
        }
        Err(error) => {
            tx.roll_back().await;
            (Err(error), Vec::new())
        }
    };
    if let Err(error) = &end {
        jobs.for_each(|(_, job)| job.refuse(error));
    }
    for (number, error) in failed {
        if let Some(reply) = replies.remove(&number) {
            reply.settle(&Err(error));
        }
    }
    replies.into_values().for_each(|reply: Box<dyn Reply>| reply.settle(&end));
}

/// Runs each member in a savepoint of its own. An error says that the transaction broke down: whatever was written
/// is lost, and the jobs left over have not run.
async fn run_members(
    tx: &Tx,
    questions: &[Question],
    jobs: &mut (impl Iterator<Item = (usize, Box<dyn Job>)> + Send),
    replies: &mut BTreeMap<usize, Box<dyn Reply>>,
) -> Result<(), StoreError> {
    tx.begin_group().await?;
    tx.foresee(questions).await?;
    for (number, job) in jobs {
        tx.begin_member();
        let (well, reply) = job.run(tx).await;
        let kept = if well { tx.end_member(number).await } else { Ok(()) };
        match kept {
            Ok(()) => drop(replies.insert(number, reply)),
            Err(_) => reply.settle(&kept),
        }
        if !well || kept.is_err() {
            tx.undo_member().await?;
        }
    }
    tx.write_settled().await
}

fn ended() -> StoreError {
    StoreError::new(StoreErrorKind::Unreachable, "the writer has stopped")
}

impl<T, E, F> Job for Member<T, E, F>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
{
    fn take_questions(&mut self) -> Vec<Question> {
        std::mem::take(&mut self.questions)
    }

    fn run<'t>(self: Box<Self>, tx: &'t Tx) -> BoxFuture<'t, (bool, Box<dyn Reply>)> {
        async move {
            let Self { work, answer, .. } = *self;
            let ran = AssertUnwindSafe(async move { work(tx).await }).catch_unwind().await;
            let mut result = ran.unwrap_or_else(|_| {
                Err(StoreError::new(StoreErrorKind::Internal, "a write panicked and was rolled back").into())
            });
            if result.is_ok() && tx.has_failed() {
                result = Err(Tx::swallowed().into());
            }
            let well = result.is_ok();
            let reply: Box<dyn Reply> = Box::new(Answer { result, answer });
            (well, reply)
        }
        .boxed()
    }

    fn refuse(self: Box<Self>, error: &StoreError) {
        // Nobody listens any more when the caller was cancelled.
        drop(self.answer.send(Err(error.clone().into())));
    }
}

impl<T: Send, E: From<StoreError> + Send> Reply for Answer<T, E> {
    fn settle(self: Box<Self>, commit: &Result<(), StoreError>) {
        let Self { result, answer } = *self;
        let result = match (result, commit) {
            (Ok(_), Err(error)) => Err(error.clone().into()),
            (result, _) => result,
        };
        drop(answer.send(result));
    }
}
