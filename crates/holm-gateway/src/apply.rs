//! Applying a document whole: policy, then tables, then markers, and only then is it called live.

use std::{io, sync::Arc};

use holm_core::{
    gateway::{GatewayConfig, GatewayLive},
    render::nft::{self, NftError},
};
use tokio::sync::{Mutex, watch};

use crate::{
    backends::Backends,
    document::{self, DocumentError},
    markers::Markers,
    ruleset::{Ruleset, RulesetError},
    tables::{self, Tables},
};

/// Why a document did not become live. Unless it says otherwise the one before still is.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The document to boot from is not to be had.
    #[error("the current document cannot be read: {0}")]
    Current(#[source] io::Error),
    /// Not a document, or one that contradicts itself.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Cannot be a policy.
    #[error(transparent)]
    Policy(#[from] NftError),
    /// Older than what is live, or another of the same number.
    #[error(
        "generation {offered} is refused: generation {live} is live, and a changed document is a later one"
    )]
    Generation {
        /// Of the document.
        offered: u64,
        /// Of the live one.
        live: u64,
    },
    /// The kernel did not take it.
    #[error(transparent)]
    Ruleset(#[from] RulesetError),
    /// Its policy may be loaded, but services that wait for their marker will go on waiting: send it again.
    #[error("markers could not be written: {0}")]
    Markers(#[from] io::Error),
}

/// Applies documents, one at a time.
pub struct Apply<R> {
    ruleset: R,
    markers: Markers,
    tables: watch::Sender<Arc<Tables>>,
    backends: Arc<Backends>,
    live: Mutex<Option<GatewayConfig>>,
}

impl<R: Ruleset> Apply<R> {
    /// Nothing is live yet.
    pub fn new(
        ruleset: R,
        markers: Markers,
        tables: watch::Sender<Arc<Tables>>,
        backends: Arc<Backends>,
    ) -> Self {
        Self {
            ruleset,
            markers,
            tables,
            backends,
            live: Mutex::new(None),
        }
    }

    /// Parses, checks and applies. Quietly succeeds when this very document is live already.
    pub async fn apply(&self, bytes: &[u8]) -> Result<GatewayLive, ApplyError> {
        let config = document::parse(bytes)?;
        let mut live = self.live.lock().await;
        if let Some(old) = live.as_ref() {
            if *old == config {
                return Ok(self.backends.live());
            }
            if config.generation <= old.generation {
                return Err(ApplyError::Generation {
                    offered: config.generation,
                    live: old.generation,
                });
            }
        }
        let policy = nft::render(&config)?;
        let markers = Markers::of(&config);
        // First away with what the new policy does not hold: a service must not start in between.
        self.markers.keep(&markers)?;
        if let Err(error) = self.ruleset.load(&policy).await {
            if let Some(old) = live.as_ref() {
                self.markers.add(&Markers::of(old))?;
            }
            return Err(error.into());
        }
        self.tables.send_replace(Arc::new(Tables::of(&config)));
        self.markers.add(&markers)?;
        let (generation, legs) = (config.generation, config.legs.len());
        self.backends.adopt(generation, tables::backends(&config));
        *live = Some(config);
        tracing::info!(generation, legs, "document is live");
        Ok(self.backends.live())
    }

    /// Loads a policy under which nothing passes.
    pub async fn close(&self) -> Result<(), RulesetError> {
        self.ruleset.load(&nft::closed()).await
    }
}
