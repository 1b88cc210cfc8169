//! What people and their programs reach: the groups of a host, and the record of who asked what.

use std::fmt;
use std::sync::Arc;

use tidegate_core::Decision;

use super::metrics::Counts;
use super::recent::Recent;
use super::request::{Action, BadRequest, Wish};
use super::view::GroupView;
use crate::clock::Clock;
use crate::live::Control;
use crate::runtime::{Idle, RequestError, Status};
use crate::store::{Store, StoreError};

/// Requests of people that are shown of a group.
const REQUESTS: u32 = 20;

/// What the server needs of the host that it speaks for.
#[derive(Clone)]
pub struct Operators {
    /// Reaches the host.
    pub host: Control,
    /// Where requests are kept.
    pub store: Arc<dyn Store>,
    /// What happened last.
    pub recent: Arc<Recent>,
    /// How much happened.
    pub counts: Arc<Counts>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Operators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operators").field("host", &self.host).finish_non_exhaustive()
    }
}

/// Why somebody who asked gets no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Bad(#[from] BadRequest),
    #[error(transparent)]
    Group(#[from] RequestError),
    #[error(transparent)]
    Idle(#[from] Idle),
    #[error("failed to read what people asked before: {0}")]
    Store(#[from] StoreError),
}

impl Operators {
    /// How a group is, with what happened last and who asked what.
    pub(super) async fn view(&self, group: &str) -> Result<GroupView, Refusal> {
        let status = self.host.groups().await?.status(group).await?;
        let asked = self.store.asked(group, REQUESTS).await?;
        Ok(GroupView::new(group, &status, self.recent.of(group), &asked))
    }

    /// How all groups are, by their names.
    pub(super) async fn statuses(&self) -> Result<Vec<(String, Status)>, Refusal> {
        let (handle, mut statuses) = (self.host.groups().await?, Vec::new());
        for group in handle.groups() {
            statuses.push((group.to_owned(), handle.status(group).await?));
        }
        Ok(statuses)
    }

    /// The same as people are shown it, without what happened.
    pub(super) async fn all(&self) -> Result<Vec<GroupView>, Refusal> {
        let statuses = self.statuses().await?.into_iter();
        let views = statuses.map(|(name, status)| GroupView::new(&name, &status, Vec::new(), &[]));
        Ok(views.collect())
    }

    /// Asks a group for something; what was decided.
    pub(super) async fn ask(
        &self,
        group: &str,
        action: &str,
        wish: &Wish,
    ) -> Result<Decision, Refusal> {
        let action: Action = action.parse()?;
        let request = wish.request(action, self.clock.now())?;
        Ok(self.host.groups().await?.request(group, &wish.who, request).await?)
    }
}
