//! Questions about what waits, on any host: answered by a router that follows the log and decides nothing that counts.

use crate::decisions::DirectoryCache;
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind, Result};
use crate::memory::{remember, replay_to};
use std::sync::Arc;
use switchboard_core::Router;
use switchboard_model::Timestamp;

/// A router as it was when somebody last asked.
#[derive(Default)]
pub(crate) struct Looker {
    router: Option<Arc<Router>>,
    directories: DirectoryCache,
}

impl Engine {
    /// Asks the router as it is at the cursor, at the present time. Answers take time in a large centre, so they are
    /// worked out beside everything else, a few at once.
    ///
    /// # Errors
    /// `Internal` when checkpoint or log cannot be used.
    pub(crate) async fn look<T: Send + 'static>(&self, ask: impl FnOnce(&Router, Timestamp) -> T + Send + 'static) -> Result<T> {
        let (router, now) = self.looked_at().await?;
        let stopping = |_| EngineError::new(EngineErrorKind::Busy, "the host is stopping");
        let permit = self.inner.looking.acquire().await.map_err(stopping)?;
        let answer = tokio::task::spawn_blocking(move || ask(&router, now)).await;
        drop(permit);
        answer
            .map_err(|error| EngineError::new(EngineErrorKind::Internal, format!("the question could not be answered: {error}")))
    }

    async fn looked_at(&self) -> Result<(Arc<Router>, Timestamp)> {
        let store = &self.inner.store;
        let mut looker = self.inner.looker.lock().await;
        let Looker { router, directories } = &mut *looker;
        let no = store.cursor().await?.no;
        let newest = store.newest_checkpoint_no().await?;
        // A newer checkpoint is nearer, and may hold what the tables knew better than the log.
        let mut current = match router.take() {
            Some(router) if newest <= Some(router.no()) && router.no() <= no => router,
            before => {
                *directories = DirectoryCache::default();
                // Of two routers in memory at once one would be too many.
                let paces = before.map(|before| before.paces());
                let mut anew = remember(self, false).await?.router;
                if let Some(paces) = paces {
                    anew.inherit(&paces);
                }
                Arc::new(anew)
            }
        };
        if current.no() < no {
            replay_to(self, directories, Arc::make_mut(&mut current), no).await?;
        }
        let now = store.now(self.now()).await?;
        *router = Some(Arc::clone(&current));
        Ok((current, now))
    }
}
