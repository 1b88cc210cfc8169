//! A controller as the host before left it.

use tidegate_core::journal::{Entry, Replay};
use tidegate_core::lifecycle::Stage;
use tidegate_core::{
    Controller, Decision, GroupConfig, Input, OperatorRequest, ServerId, Timestamp,
};

use super::Fault;
use crate::store::{Store, StoreError, Stored};

/// A controller, and what it is to be stepped with first.
#[derive(Debug)]
pub(super) struct TakenUp {
    pub controller: Controller,
    /// The number of its last line.
    pub number: u64,
    pub last: Option<Decision>,
    pub first: Vec<Input>,
}

/// Takes a group up from the store, or begins it if the store does not know it.
pub(super) async fn take_up(
    store: &dyn Store,
    term: u32,
    group: &str,
    config: GroupConfig,
    now: Timestamp,
) -> Result<TakenUp, Fault> {
    let failed = |source| Fault::Store { group: group.to_owned(), source };
    let Some(stored) = store.load(group).await.map_err(failed)? else {
        let first = if term == 0 { Input::Wake } else { Input::TakeOver { term } };
        let controller = Controller::new(config, now);
        return Ok(TakenUp { controller, number: 0, last: None, first: vec![first] });
    };
    let mut taken = restore(group, stored)?;
    taken.first.push(Input::TakeOver { term });
    follow_config(group, &mut taken, config)?;
    Ok(taken)
}

/// In which stages a group's servers were after its last line, the primary's first; nothing if the
/// store does not know it.
///
/// # Errors
/// What would keep a host from taking it up with `config`.
pub(crate) async fn stages(
    store: &dyn Store,
    group: &str,
    config: GroupConfig,
) -> Result<Option<Vec<Stage>>, Fault> {
    let failed = |source| Fault::Store { group: group.to_owned(), source };
    let Some(stored) = store.load(group).await.map_err(failed)? else { return Ok(None) };
    let servers = 0..=config.standbys;
    let mut taken = restore(group, stored)?;
    follow_config(group, &mut taken, config)?;
    let stage = |server| taken.controller.stage(ServerId(server));
    Ok(Some(servers.map(stage).collect()))
}

/// The checkpoint, stepped through the lines after it.
fn restore(group: &str, stored: Stored) -> Result<TakenUp, Fault> {
    let Stored { checkpoint, tail } = stored;
    let name = || group.to_owned();
    let controller = Controller::restore(checkpoint.snapshot)
        .map_err(|source| Fault::Restore { group: name(), source })?;
    let mut number = checkpoint.number;
    let mut replay = Replay::new(controller, checkpoint.last);
    for line in tail {
        number += 1;
        let entry: Entry = serde_json::from_slice(&line).map_err(|why| {
            let what = format!("line {number} of the journal cannot be read: {why}");
            Fault::Store { group: name(), source: StoreError::Broken(what) }
        })?;
        // A decision that reads otherwise is no matter, as long as the same is done.
        if replay.step(&entry).0.commands != entry.commands {
            return Err(Fault::Differs { group: name(), number });
        }
    }
    let (controller, last) = replay.into_parts();
    Ok(TakenUp { controller, number, last, first: Vec::new() })
}

/// What the configuration says now replaces what it said before.
fn follow_config(group: &str, taken: &mut TakenUp, given: GroupConfig) -> Result<(), Fault> {
    let stored = taken.controller.config();
    if stored.standbys != given.standbys {
        let group = group.to_owned();
        return Err(Fault::Standbys { group, stored: stored.standbys, given: given.standbys });
    }
    let weights = |config: &GroupConfig| (config.primary_weight, config.standby_weight);
    if weights(stored) != weights(&given) {
        let group = group.to_owned();
        return Err(Fault::Weights { group, stored: weights(stored), given: weights(&given) });
    }
    if stored.policy != given.policy {
        let policy = OperatorRequest::SetPolicy(Box::new(given.policy));
        taken.first.push(Input::Request(policy));
    }
    Ok(())
}
