//! Questions about what waits, on any host: answered by a router that follows the log and decides nothing that counts.

use crate::decisions::DirectoryCache;
use crate::engine::Engine;
use crate::error::Result;
use crate::memory::{Memory, remember, replay_to};
use switchboard_core::Router;
use switchboard_model::Timestamp;

/// A router as it was when somebody last asked.
#[derive(Default)]
pub(crate) struct Looker {
    router: Option<Router>,
    directories: DirectoryCache,
}

impl Engine {
    /// Asks the router as it is at the cursor, at the present time.
    ///
    /// # Errors
    /// `Internal` when checkpoint or log cannot be used.
    pub(crate) async fn look<T: Send>(&self, ask: impl FnOnce(&Router, Timestamp) -> T + Send) -> Result<T> {
        let store = &self.inner.store;
        let mut looker = self.inner.looker.lock().await;
        let Looker { router, directories } = &mut *looker;
        let no = store.cursor().await?.no;
        let newest = store.newest_checkpoint_no().await?;
        // A newer checkpoint is nearer, and may hold what the tables knew better than the log.
        let mut current = match router.take().filter(|router| newest <= Some(router.no()) && router.no() <= no) {
            Some(router) => router,
            None => {
                let Memory { router, .. } = remember(self, false).await?;
                router
            }
        };
        replay_to(self, directories, &mut current, no).await?;
        let now = store.now(self.now()).await?;
        let answer = ask(&current, now);
        *router = Some(current);
        Ok(answer)
    }
}
