//! The same scenario under many seeds, side by side.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidegate_core::record::Summary;

use crate::model::Model;
use crate::run::run;

/// Runs `model` under each of `seeds` on `jobs` threads; `done` is told after each run how many
/// are. The summaries come in the order of the seeds, and do not depend on the number of threads.
pub fn replicate(
    model: &Model,
    seeds: &[u64],
    jobs: NonZeroUsize,
    done: &(dyn Fn(usize) + Sync),
) -> Vec<Summary> {
    let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let slots: Vec<Mutex<Option<Summary>>> = seeds.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(&seed) = seeds.get(index) else { return };
            let model = Model { seed, ..model.clone() };
            let summary = run(&model, &mut io::sink(), &mut |_| {}).ok();
            if let Ok(mut slot) = slots[index].lock() {
                *slot = summary.map(|finished| finished.record.summary);
            }
            done(finished.fetch_add(1, Ordering::Relaxed) + 1);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs.get().min(seeds.len()) {
            scope.spawn(work);
        }
        work();
    });
    slots.into_iter().filter_map(|slot| slot.into_inner().ok().flatten()).collect()
}
