//! What a live group did, written down as a run: how it began, its journal, and the facts that the
//! proxy and the provider tell.

use std::collections::BTreeMap;

use tidegate_core::fact::{Fact, FailureCause, Flow};
use tidegate_core::journal::Entry;
use tidegate_core::record::{FORMAT, Fingerprint, FoldError, Kind, Origin, RunRecord, Told, fold};
use tidegate_core::{ServerId, Timestamp};

use crate::config::{Config, GroupFile};
use crate::ports::Traffic;
use crate::store::{Note, Noted, Past, Place, StoreError};
use crate::threads;

/// A group's past.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// How it began.
    pub origin: Origin,
    /// Its journal, as it was written.
    pub lines: Vec<Vec<u8>>,
    /// Each line of it.
    pub journal: Vec<Entry>,
    /// What the proxy and the provider told, in the order of time.
    pub told: Vec<Told>,
}

/// Why there is no record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// There is no runtime to be had from the system.
    #[error("failed to start the runtime")]
    Runtime(#[source] std::io::Error),
    /// The store cannot be read.
    #[error("failed to read the store {place}")]
    Store {
        /// Where it is.
        place: String,
        /// Why.
        source: StoreError,
    },
    /// The store has never heard of the group.
    #[error("the store {place} has nothing of group `{group}`")]
    Nothing {
        /// Where it is.
        place: String,
        /// The group.
        group: String,
    },
    /// A line of the journal makes no sense.
    #[error("line {number} of the journal cannot be read")]
    Line {
        /// Which, from the first that the group ever had.
        number: u64,
        /// Why.
        source: serde_json::Error,
    },
}

/// The record of a run from its beginning, its journal line by line, and what was told of it.
///
/// # Errors
/// If they do not belong together.
pub fn judged(
    origin: &Origin,
    lines: &[impl AsRef<[u8]>],
    journal: &[Entry],
    told: &[Told],
) -> Result<RunRecord, FoldError> {
    let (mut record, counts) = fold(origin, journal, told)?;
    let mut hash = Fingerprint::default();
    for line in lines {
        hash.line(line.as_ref());
    }
    // A record has string keys alone, so that nothing of it can fail to be written.
    let json = serde_json::to_vec(&record).unwrap_or_default();
    record.summary.fingerprint = hash.close(&counts, &json);
    Ok(record)
}

/// What the store at `place` has of `group` from `since` on, or from a little before, to `until`.
///
/// # Errors
/// If the store cannot be read, or has nothing of the group.
pub fn record(
    config: &Config,
    place: &Place,
    group: &GroupFile,
    since: Timestamp,
    until: Timestamp,
) -> Result<Recorded, RecordError> {
    let shown = || place.to_string();
    let read = async { place.read().await?.past(&group.name, since).await };
    let past = threads::block_on(read).map_err(RecordError::Runtime)?;
    let past = past.map_err(|source| RecordError::Store { place: shown(), source })?;
    let nothing = || RecordError::Nothing { place: shown(), group: group.name.clone() };
    written_down(config, group, past.ok_or_else(nothing)?, until)
}

/// What was stored of `group`, up to `until`.
///
/// # Errors
/// If a line makes no sense.
pub fn written_down(
    config: &Config,
    group: &GroupFile,
    past: Past,
    until: Timestamp,
) -> Result<Recorded, RecordError> {
    let Past { checkpoint, mut lines, notes } = past;
    let entry = |(number, line): (u64, &Vec<u8>)| {
        serde_json::from_slice::<Entry>(line).map_err(|source| RecordError::Line { number, source })
    };
    let journal = (checkpoint.number + 1..).zip(&lines).map(entry);
    let journal: Vec<_> = journal
        .take_while(|entry| entry.as_ref().map_or(true, |entry| entry.at <= until))
        .collect::<Result<_, _>>()?;
    lines.truncate(journal.len());
    let start = checkpoint.at;
    let end = journal.last().map_or(start, |entry| entry.at);
    let (servers, currency) = group.bill.members(&config.plans, group.standbys);
    let origin = Origin {
        format: FORMAT,
        kind: Kind::Live,
        name: group.name.clone(),
        title: format!("group {}", group.name),
        zone: config.zone.clone(),
        start,
        end,
        currency,
        servers,
        controller: checkpoint.snapshot,
        last: checkpoint.last,
    };
    let told = facts(&notes, group.standbys, (start, end));
    Ok(Recorded { origin, lines, journal, told })
}

/// What was noted within the run, as facts.
fn facts(notes: &[Note], standbys: u16, (start, end): (Timestamp, Timestamp)) -> Vec<Told> {
    let mut told = Vec::new();
    let mut counted = BTreeMap::new();
    let mut powered = BTreeMap::new();
    for Note { at, what } in notes.iter().copied().filter(|note| note.at <= end) {
        match what {
            Noted::Power { server, on } if server.0 <= standbys => {
                let fact = Fact::PowerChanged { server, on, commanded: true };
                if at < start {
                    powered.insert(server, fact);
                } else {
                    told.push(Told::Fact { at, fact });
                }
            }
            Noted::Traffic(now) if now.server.0 <= standbys => {
                if let Some(before) = counted.insert(now.server, now)
                    && at > start
                {
                    let flows = flows(before, now).into_iter();
                    told.extend(flows.map(|flow| Told::Fact { at, fact: Fact::Flow(flow) }));
                }
            }
            Noted::Power { .. } | Noted::Traffic(_) => {}
        }
    }
    let before = powered.into_values().map(|fact| Told::Fact { at: start, fact });
    before.chain(told).collect()
}

/// What the proxy counted between two looks. A count that fell means that it was started anew.
fn flows(before: Traffic, now: Traffic) -> Vec<Flow> {
    let fell = now.routed < before.routed;
    let risen = |now: u64, before: u64| if fell { now } else { now.saturating_sub(before) };
    let server = now.server;
    let routed = risen(now.routed, before.routed);
    let answered = risen(now.served, before.served);
    let failed = risen(now.failed, before.failed);
    let some =
        |count: u64, flow: fn(u64, ServerId) -> Flow| (count > 0).then(|| flow(count, server));
    let arrived = (routed > 0).then_some(Flow::Arrived { count: routed });
    let flows = [
        arrived,
        some(routed, |count, server| Flow::Routed { count, server }),
        some(answered, |count, server| Flow::Served { count, server }),
        some(failed, |count, server| Flow::Failed {
            count,
            server: Some(server),
            cause: FailureCause::Unreachable,
        }),
    ];
    flows.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(routed: u64, served: u64, failed: u64) -> Traffic {
        Traffic { server: ServerId(1), routed, served, failed }
    }

    #[test]
    fn a_proxy_that_was_started_anew_counts_from_nothing() {
        let server = ServerId(1);
        let (before, now) = (traffic(90, 80, 1), traffic(95, 86, 1));
        let rise = [
            Flow::Arrived { count: 5 },
            Flow::Routed { count: 5, server },
            Flow::Served { count: 6, server },
        ];
        assert_eq!(flows(before, now), rise);
        let anew = flows(now, traffic(4, 3, 1));
        assert_eq!(anew[..2], [Flow::Arrived { count: 4 }, Flow::Routed { count: 4, server }]);
        assert_eq!(anew.len(), 4);
    }
}
