//! What the store says, without a change to it.

use std::sync::Arc;

use tidegate_core::lifecycle::Stage;

use super::{Finding, Patient};
use crate::config::Config;
use crate::runtime;
use crate::store::{Place, Store, StoreError};

const PART: &str = "store";

/// What is there.
pub(super) enum Kept {
    /// No store yet.
    Nothing,
    Store(Arc<dyn Store>),
    Bad(StoreError),
}

impl Kept {
    pub async fn look(place: &Place) -> Self {
        match place.look().await {
            Ok(None) => Self::Nothing,
            Ok(Some(store)) => Self::Store(store),
            Err(why) => Self::Bad(why),
        }
    }

    pub fn finding(&self, shown: &Place) -> Finding {
        match self {
            Self::Nothing => {
                Finding::ok(PART, format!("{shown} is not there yet: the first live host makes it"))
            }
            Self::Store(_) => Finding::ok(PART, format!("{shown} can be read")),
            Self::Bad(why @ StoreError::Older(_)) => Finding::warn(
                PART,
                format!("{shown}: {why}"),
                "stop the old version before a new one starts",
            ),
            Self::Bad(why) => Finding::missing(
                PART,
                format!("{shown} cannot be read: {why}"),
                match shown {
                    Place::File(_) => {
                        "name another file as `store.path`, or bring this one back from a copy"
                    }
                    Place::Database(_) => "see whether it runs, and correct what `[store]` says",
                },
            ),
        }
    }

    /// In which stages a group's servers are by it.
    pub async fn stages(
        &self,
        config: &Config,
        patient: &Patient<'_>,
    ) -> (Option<Vec<Stage>>, Vec<Finding>) {
        let Self::Store(store) = self else { return (None, Vec::new()) };
        let scaling = config.scaling(patient.file);
        match runtime::stages(&**store, &patient.file.name, scaling).await {
            Ok(None) => (None, Vec::new()),
            Ok(Some(stages)) => {
                let found = vec![Finding::ok(PART, "what is kept of the group can be taken up")];
                (Some(stages), found)
            }
            Err(why) => {
                let cause = std::error::Error::source(&why);
                let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
                let advice = "a live host would end with this: correct it first";
                (None, vec![Finding::missing(PART, format!("{why}{cause}"), advice)])
            }
        }
    }
}
