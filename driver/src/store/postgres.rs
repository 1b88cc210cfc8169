//! A store in a database of `PostgreSQL`, which several hosts may share: one acts at a time, by a
//! lease.
//!
//! Each write is a transaction that locks the row of the term, so that two writers are impossible.
//! A lost connection is made anew, and what was under way is tried again for as long as the host
//! may act at most. Whether it was written already is known by then: the lock waits for a
//! transaction whose end was not told, and what it wrote is looked for.

mod lease;
mod link;
mod schema;
mod tables;
mod write;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tidegate_core::{Span, Timestamp};

use super::lease::Tenure;
use super::queue::{self, Append, Batch, Served};
use super::{Asked, Checkpoint, Database, Mark, Past, StoreError, Stored};
use lease::{DatabaseLease, holder};
use link::Link;

/// The store in a database.
pub type PostgresStore = Served<Tables>;

impl PostgresStore {
    /// Opens the store in this database, or makes it. Lines older than `keep` are removed once a
    /// checkpoint is past them; none are if it is absent.
    ///
    /// # Errors
    /// If it cannot be reached or used, or a newer program wrote what is there.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn open(database: &Database, keep: Option<Span>) -> Result<Self, StoreError> {
        let mut link = Link::new(database);
        schema::make(link.client().await?).await?;
        let (tenure, holder): (Arc<Tenure>, Arc<str>) = (Arc::default(), holder().into());
        let lease = DatabaseLease::new(database, Arc::clone(&holder), Arc::clone(&tenure));
        let tables = Tables { link, keep, tenure, holder };
        Ok(Self::new(tables, Some(Arc::new(lease))))
    }

    /// Opens a store that is there, to be read.
    ///
    /// # Errors
    /// As [`Self::open`], and if there is none.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn read(database: &Database) -> Result<Self, StoreError> {
        let none = || StoreError::Broken("the database has no store in it".to_owned());
        Self::look(database).await?.ok_or_else(none)
    }

    /// The same; nothing if there is none.
    ///
    /// # Errors
    /// As [`Self::open`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn look(database: &Database) -> Result<Option<Self>, StoreError> {
        let mut link = Link::new(database).patient();
        if !schema::is_made(link.client().await?).await? {
            return Ok(None);
        }
        let (tenure, holder) = (Arc::default(), holder().into());
        Ok(Some(Self::new(Tables { link, keep: None, tenure, holder }, None)))
    }
}

/// The connection, and what its host is.
pub struct Tables {
    link: Link,
    keep: Option<Span>,
    tenure: Arc<Tenure>,
    holder: Arc<str>,
}

/// Tries until it is done or refused, for as long as the host may act at most.
macro_rules! lasting {
    ($link:expr, $client:ident => $work:expr) => {{
        let mut attempts = $link.attempts();
        loop {
            let work = async {
                let $client = $link.client().await?;
                $work.await
            };
            let ended = tokio::time::timeout(attempts.patience(), work).await;
            if let Some(result) = attempts.ended(ended) {
                break result;
            }
            $link.cut();
            attempts.rest().await;
        }
    }};
}

#[async_trait]
impl queue::Tables for Tables {
    async fn serve(mut self, batch: Batch) -> Option<Self> {
        batch.upon(&mut self).await;
        Some(self)
    }

    async fn begin_term(&mut self) -> Result<u32, StoreError> {
        let term = lasting!(self.link, client => write::begin_term(client, &self.holder))?;
        self.tenure.begin(term);
        Ok(term)
    }

    async fn load(&mut self, group: &str) -> Result<Option<Stored>, StoreError> {
        lasting!(self.link, client => tables::load(client, group))
    }

    async fn journal(&mut self, group: &str, from: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        lasting!(self.link, client => tables::journal(client, group, from))
    }

    async fn past(&mut self, group: &str, since: Timestamp) -> Result<Option<Past>, StoreError> {
        lasting!(self.link, client => tables::past(client, group, since))
    }

    async fn asked(&mut self, group: &str, most: u32) -> Result<Vec<Asked>, StoreError> {
        lasting!(self.link, client => tables::asked(client, group, most))
    }

    async fn marks(&mut self, group: &str) -> Result<Vec<Mark>, StoreError> {
        lasting!(self.link, client => tables::marks(client, group))
    }

    async fn mark(&mut self, term: u32, group: &str, marks: &[Mark]) -> Result<(), StoreError> {
        lasting!(self.link, client => write::mark(client, term, group, marks))
    }

    async fn checkpoint(
        &mut self,
        term: u32,
        group: &str,
        checkpoint: &Checkpoint,
    ) -> Result<(), StoreError> {
        lasting!(self.link, client => write::checkpoint(client, term, group, checkpoint))
    }

    async fn append(
        &mut self,
        appends: &[Append],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let (keep, mut again) = (self.keep, false);
        lasting!(self.link, client => {
            let tried_before = std::mem::replace(&mut again, true);
            write::append(client, appends, keep, tried_before)
        })
    }
}

/// A third of the lease: how often it is renewed, and how long one attempt at anything may take.
fn third(database: &Database) -> Duration {
    Duration::from_nanos(database.lease.as_nanos().unsigned_abs() / 3)
}
