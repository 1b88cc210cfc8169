//! The same scenario under many seeds, side by side.

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidegate_core::record::Summary;

use crate::model::Model;
use crate::run::run;
use crate::side_by_side::side_by_side;

/// Runs `model` under each of `seeds` on `jobs` threads; `done` is told after each run how many
/// are. The summaries come in the order of the seeds, and do not depend on the number of threads.
pub fn replicate(
    model: &Model,
    seeds: &[u64],
    jobs: NonZeroUsize,
    done: &(dyn Fn(usize) + Sync),
) -> Vec<Summary> {
    let finished = AtomicUsize::new(0);
    let mut slots: Vec<Option<Summary>> = seeds.iter().map(|_| None).collect();
    // The journal goes nowhere, so that no run fails.
    let _ = side_by_side(jobs, seeds.iter().zip(&mut slots), |(&seed, slot)| {
        let model = Model { seed, ..model.clone() };
        *slot = Some(run(&model, &mut io::sink(), &mut |_| {})?.record.summary);
        done(finished.fetch_add(1, Ordering::Relaxed) + 1);
        io::Result::Ok(())
    });
    slots.into_iter().flatten().collect()
}
