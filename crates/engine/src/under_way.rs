//! What a loop has set going and goes on beside it.
//!
//! Each is a task of its own. A future that only the loop polls must never be: while the loop waits for a database
//! connection, such a future could be the one that holds it, and neither would go on until the wait is given up.

use std::collections::HashMap;
use std::future::pending;
use tokio::task::{Id, JoinSet};

/// Work by the id of what it is done for. Dropping it ends what is not done.
#[derive(Default)]
pub(crate) struct UnderWay {
    tasks: JoinSet<()>,
    ids: HashMap<Id, i64>,
}

impl UnderWay {
    pub(crate) fn begin(&mut self, id: i64, work: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(work);
        self.ids.insert(task.id(), id);
    }

    pub(crate) fn ids(&self) -> Vec<i64> {
        self.ids.values().copied().collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.ids.len()
    }

    /// Waits until one is done, for ever when there is none. Nothing is lost when this is dropped before.
    pub(crate) async fn one_done(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(Ok((task, ()))) => drop(self.ids.remove(&task)),
            Some(Err(error)) => {
                let id = self.ids.remove(&error.id());
                tracing::error!(id, %error, "what was under way ended before it was done");
            }
            None => pending().await,
        }
    }

    /// Waits until all are done.
    pub(crate) async fn all_done(mut self) {
        while !self.ids.is_empty() {
            self.one_done().await;
        }
    }
}
