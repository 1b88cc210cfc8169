//! A store in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::store::{Asked, Checkpoint, Record, Store, StoreError, Stored};

#[derive(Debug, Default)]
struct Kept {
    checkpoint: Option<Checkpoint>,
    lines: Vec<Vec<u8>>,
    asked: Vec<Asked>,
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
        let Some(checkpoint) = kept.checkpoint.clone() else { return Ok(None) };
        let tail = kept.lines.iter().skip(checkpoint.number as usize).cloned().collect();
        Ok(Some(Stored { checkpoint, tail }))
    }

    async fn append(&self, term: u32, group: &str, record: Record) -> Result<(), StoreError> {
        self.writing(term, group, |kept| {
            kept.lines.push(record.line);
            kept.asked.extend(record.asked);
            kept.checkpoint = record.checkpoint.map(|new| *new).or(kept.checkpoint.take());
        })
    }

    async fn checkpoint(
        &self,
        term: u32,
        group: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        self.writing(term, group, |kept| kept.checkpoint = Some(checkpoint))
    }

    async fn journal(&self, group: &str, from: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let state = self.state();
        let lines = state.groups.get(group).into_iter().flat_map(|kept| &kept.lines);
        Ok(lines.skip(from.saturating_sub(1) as usize).cloned().collect())
    }

    async fn asked(&self, group: &str, most: u32) -> Result<Vec<Asked>, StoreError> {
        let state = self.state();
        let asked = state.groups.get(group).into_iter().flat_map(|kept| kept.asked.iter().rev());
        Ok(asked.take(most as usize).cloned().collect())
    }
}
