//! Whether a live host is at work on the store. It writes a line at each look.

use tidegate_core::journal::Entry;
use tidegate_core::{Span, Timestamp};

use super::EnableError;
use crate::clock::Clock;
use crate::config::Config;
use crate::runtime::CHECKPOINT_EVERY;
use crate::store::{Store, StoreError, Stored};

/// More than the way of a line to the disk.
const SLACK: Span = Span::from_secs(1);

/// Waits as long as a live host takes for a look, if one wrote so lately that it may be at work.
pub(super) async fn refuse(
    store: &dyn Store,
    clock: &dyn Clock,
    config: &Config,
) -> Result<(), EnableError> {
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
