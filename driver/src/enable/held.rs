//! Whether a live host is at work on the store, and that none begins. Where hosts share a store,
//! one that acts has its lease, which a set-up takes for as long as it lasts; elsewhere a host that
//! is at work writes a line at each look.

use std::time::Duration;

use tidegate_core::journal::Entry;
use tidegate_core::{Span, Timestamp};

use super::EnableError;
use crate::clock::Clock;
use crate::config::Config;
use crate::runtime::CHECKPOINT_EVERY;
use crate::store::{Lease, REST, Store, StoreError, Stored, lost};

/// More than the way of a line to the disk.
const SLACK: Span = Span::from_secs(1);

/// Takes the lease, or waits as long as a live host takes for a look, if one wrote so lately that
/// it may be at work.
pub(super) async fn refuse(
    store: &dyn Store,
    clock: &dyn Clock,
    config: &Config,
) -> Result<(), EnableError> {
    if let Some(lease) = store.lease() {
        return take(&*lease).await;
    }
    let look = config.look.every.max(config.look.moving) + config.look.patience + SLACK;
    for file in &config.group {
        let Some((line, at)) = last(store, &file.name).await? else { continue };
        let until = (at + look).min(clock.now() + look);
        while clock.now() < until {
            clock.sleep_until(clock.now() + config.look.poll).await;
            if last(store, &file.name).await?.is_some_and(|(now, _)| now > line) {
                return Err(EnableError::Held(file.name.clone()));
            }
        }
    }
    Ok(())
}

/// Waits for a lease whose host may have gone to run out.
async fn take(lease: &dyn Lease) -> Result<(), EnableError> {
    let mut patience = None;
    loop {
        let (by, left) = match lease.take().await {
            Ok(()) => return Ok(()),
            Err(StoreError::Held { by, left }) => (by, left),
            Err(why) => return Err(why.into()),
        };
        let rest: &mut Duration = patience.get_or_insert(left);
        if rest.is_zero() {
            return Err(EnableError::Leased(by));
        }
        let pause = left.min(lease.every()).max(REST);
        tokio::time::sleep(pause).await;
        *rest = rest.saturating_sub(pause);
    }
}

/// Does `work` for as long as the lease can be kept, and gives it back.
pub(super) async fn through(
    store: &dyn Store,
    work: impl Future<Output = Result<(), EnableError>>,
) -> Result<(), EnableError> {
    let Some(lease) = store.lease() else { return work.await };
    let done = tokio::select! {
        biased;
        why = lost(&*lease) => Err(why.into()),
        done = work => done,
    };
    // One that cannot be given back runs out.
    let _given = lease.give_back().await;
    done
}

/// The number and the time of a group's last line, unless its host ended gracefully after it.
async fn last(store: &dyn Store, group: &str) -> Result<Option<(u64, Timestamp)>, StoreError> {
    let Some(Stored { checkpoint, tail }) = store.load(group).await? else { return Ok(None) };
    let number = checkpoint.number + tail.len() as u64;
    let Some(line) = tail.last() else {
        // A host that goes on has a checkpoint at these lines too.
        let may_go_on = number.is_multiple_of(CHECKPOINT_EVERY);
        return Ok(may_go_on.then_some((number, checkpoint.at)));
    };
    let entry: Entry =
        serde_json::from_slice(line).map_err(|why| StoreError::Broken(why.to_string()))?;
    Ok(Some((number, entry.at)))
}
