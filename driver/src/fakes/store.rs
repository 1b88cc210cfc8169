//! A store in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tidegate_core::Timestamp;

use crate::store::{Asked, Checkpoint, Mark, Note, Past, Record, Store, StoreError, Stored};

#[derive(Debug, Default)]
struct Kept {
    checkpoints: Vec<Checkpoint>,
    notes: BTreeSet<Note>,
    lines: Vec<Vec<u8>>,
    asked: Vec<Asked>,
    marks: Vec<Mark>,
}

#[derive(Debug, Default)]
struct State {
    term: Option<u32>,
    groups: BTreeMap<String, Kept>,
}

/// Keeps everything, and loses it with the process.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing<T>(
        &self,
        ours: u32,
        group: &str,
        write: impl FnOnce(&mut Kept) -> T,
    ) -> Result<T, StoreError> {
        let mut state = self.state();
        let now = state.term.unwrap_or(0);
        if ours != now {
            return Err(StoreError::Fenced { ours, now });
        }
        Ok(write(state.groups.entry(group.to_owned()).or_default()))
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin_term(&self) -> Result<u32, StoreError> {
        let mut state = self.state();
        let term = state.term.map_or(0, |term| term + 1);
        state.term = Some(term);
        Ok(term)
    }

    async fn load(&self, group: &str) -> Result<Option<Stored>, StoreError> {
        let state = self.state();
        let Some(kept) = state.groups.get(group) else { return Ok(None) };
        let Some(checkpoint) = kept.checkpoints.last().cloned() else { return Ok(None) };
        let tail = kept.lines.iter().skip(checkpoint.number as usize).cloned().collect();
        Ok(Some(Stored { checkpoint, tail }))
    }

    async fn append(&self, term: u32, group: &str, record: Record) -> Result<(), StoreError> {
        self.writing(term, group, |kept| {
            kept.lines.push(record.line);
            kept.notes.extend(record.notes);
            kept.checkpoints.extend(record.checkpoint.map(|new| *new));
            kept.asked.extend(record.asked);
        })
    }

    async fn checkpoint(
        &self,
        term: u32,
        group: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        self.writing(term, group, |kept| kept.checkpoints.push(checkpoint))
    }

    async fn journal(&self, group: &str, from: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let state = self.state();
        let lines = state.groups.get(group).into_iter().flat_map(|kept| &kept.lines);
        Ok(lines.skip(from.saturating_sub(1) as usize).cloned().collect())
    }

    async fn past(&self, group: &str, since: Timestamp) -> Result<Option<Past>, StoreError> {
        let state = self.state();
        let Some(kept) = state.groups.get(group) else { return Ok(None) };
        let known = &kept.checkpoints;
        let found = known.iter().rfind(|one| one.at <= since).or(known.first());
        let Some(checkpoint) = found.cloned() else { return Ok(None) };
        let lines = kept.lines.iter().skip(checkpoint.number as usize).cloned().collect();
        Ok(Some(Past { checkpoint, lines, notes: kept.notes.iter().copied().collect() }))
    }

    async fn asked(&self, group: &str, most: u32) -> Result<Vec<Asked>, StoreError> {
        let state = self.state();
        let asked = state.groups.get(group).into_iter().flat_map(|kept| kept.asked.iter().rev());
        Ok(asked.take(most as usize).cloned().collect())
    }

    async fn marks(&self, group: &str) -> Result<Vec<Mark>, StoreError> {
        let state = self.state();
        Ok(state.groups.get(group).map(|kept| kept.marks.clone()).unwrap_or_default())
    }

    async fn mark(&self, term: u32, group: &str, marks: &[Mark]) -> Result<(), StoreError> {
        self.writing(term, group, |kept| kept.marks = marks.to_vec())
    }
}
