//! Planted defects, one at a time: each must be caught by the property that owns it.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tidegate_core::Defect;

use super::bounds::Bounds;
use super::case::{Base, Case, Failure};
use super::draw::draw;
use super::shrink::{Effort, Shrunk, shrink_against};
use crate::scenario::Edits;
use crate::side_by_side::side_by_side;

/// Runs in which a defect must be caught.
const RUNS: u64 = 20;
/// Runs that shrinking may take.
const BUDGET: u32 = 150;

/// How a defect was caught.
#[derive(Clone, Debug)]
pub struct Caught {
    /// Which.
    pub defect: Defect,
    /// Runs until a property was violated; all of them if none was.
    pub runs: u64,
    /// Properties that were, in that run.
    pub properties: Vec<String>,
    /// What that same run violates without the defect, which should be nothing.
    pub without: Vec<String>,
    /// A small scenario in which the owner catches it.
    pub shrunk: Option<Shrunk>,
}

impl Caught {
    /// Whether the property that owns the defect caught it, and nothing is wrong without it.
    pub fn is_right(&self) -> bool {
        self.shrunk.is_some() && self.without.is_empty()
    }

    /// Lines of the small scenario.
    pub fn lines(&self) -> Option<usize> {
        let text = &self.shrunk.as_ref()?.case.text;
        Some(text.lines().filter(|line| !line.trim_start().starts_with('#')).count())
    }
}

/// Plants each defect in those of `bases` whose hazard names it and no property but its own, until
/// `stop` says that those tried are enough.
pub fn defects(
    bases: &[Base],
    seed: u64,
    jobs: NonZeroUsize,
    stop: &AtomicBool,
    done: &(dyn Fn(usize) + Sync),
) -> Vec<Caught> {
    let found = Mutex::new(Vec::new());
    // A defect that is not caught is a result, not an error.
    let left = Defect::ALL.into_iter().take_while(|_| !stop.load(Ordering::Relaxed));
    let _ = side_by_side(jobs, left, |defect| {
        let caught = catch(bases, defect, seed, stop);
        if let Ok(mut found) = found.lock() {
            found.extend(caught);
            done(found.len());
        }
        Ok::<(), ()>(())
    });
    let mut found = found.into_inner().unwrap_or_default();
    found.sort_by_key(|caught| caught.defect);
    found
}

/// What a scenario that provokes a defect leaves to chance.
fn bounds() -> Bounds {
    Bounds {
        requests: 20_000,
        load: [0.95, 1.05],
        standbys: [1, 1],
        faults: [0, 0],
        policy: false,
        topology: false,
        operator: 0,
        ..Bounds::default()
    }
}

/// How a defect was caught, unless `stop` came before that was known.
fn catch(bases: &[Base], defect: Defect, seed: u64, stop: &AtomicBool) -> Option<Caught> {
    let names = |base: &&Base| {
        base.model.hazard.is_some_and(|hazard| {
            let owned = hazard.violates.is_none_or(|violates| violates == defect.owner());
            owned && hazard.defects.has(defect)
        })
    };
    let bases: Vec<&Base> = bases.iter().filter(names).collect();
    let mut caught =
        Caught { defect, runs: 0, properties: Vec::new(), without: Vec::new(), shrunk: None };
    for number in 0..if bases.is_empty() { 0 } else { RUNS } {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let base = bases[(number % bases.len() as u64) as usize];
        let sound = draw(base, &bounds(), seed, number);
        let case = planted(&sound, defect);
        let failures = case.run().failures;
        caught.runs += 1;
        if failures.is_empty() {
            continue;
        }
        caught.properties = failures.iter().map(|one| one.property.clone()).collect();
        caught.without = sound.run().failures.into_iter().map(|one| one.property).collect();
        let owned = |failure: &&Failure| failure.property == defect.owner();
        // Without the defect the small scenario holds too.
        let control = |small: &Case| without(small, defect).run().failures.is_empty();
        let own = failures.iter().find(owned);
        caught.shrunk =
            own.map(|own| shrink_against(&case, own, Effort { runs: BUDGET, stop }, &control));
        break;
    }
    Some(caught)
}

fn without(case: &Case, defect: Defect) -> Case {
    let text = case.text.replace(&format!("[\"{}\"]", defect.name()), "[]");
    Case { text, ..case.clone() }
}

fn planted(sound: &Case, defect: Defect) -> Case {
    let mut edits = Edits::new();
    edits.remove("hazard");
    edits.set("defects", format!("[\"{}\"]", defect.name()));
    let text = edits.apply(&sound.text).unwrap_or_else(|_| sound.text.clone());
    Case { text, ..sound.clone() }
}
