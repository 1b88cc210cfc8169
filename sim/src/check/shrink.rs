//! A failing case made small: fewer parts, a shorter run, rounder numbers, and the same failure.
//!
//! Greedy, as delta debugging is: a change is kept if the smaller file is read and violates the
//! same property. Every part of the file may go, the largest first.

mod parts;

use std::sync::atomic::{AtomicBool, Ordering};

use tidegate_core::Span;
use toml_edit::{DocumentMut, Item, value};

use super::case::{Case, Failure, REFUSED};
use crate::scenario::put;
use parts::{Path, parts, remove, simpler};

/// A case that was shrunk.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The small case.
    pub case: Case,
    /// How it fails.
    pub failure: Failure,
    /// Runs that this took.
    pub trials: u32,
}

/// How much shrinking may take.
#[derive(Clone, Copy, Debug)]
pub struct Effort<'a> {
    /// Most runs.
    pub runs: u32,
    /// Ends it with what it has reached by then.
    pub stop: &'a AtomicBool,
}

/// Shrinks `case`, which violates `property` as `failure` says, with at most this effort. A case
/// that is refused stays as it is: what is left out of it would only be refused for more.
pub fn shrink(case: &Case, failure: &Failure, effort: Effort<'_>) -> Shrunk {
    shrink_against(case, failure, effort, &|_| true)
}

/// The same, where what is kept must also pass `control`.
pub(super) fn shrink_against(
    case: &Case,
    failure: &Failure,
    effort: Effort<'_>,
    control: &dyn Fn(&Case) -> bool,
) -> Shrunk {
    let refused = failure.property == REFUSED;
    let Ok(document) = case.text.parse::<DocumentMut>() else {
        return Shrunk { case: case.clone(), failure: failure.clone(), trials: 0 };
    };
    let (case, failure) = (case.clone(), failure.clone());
    let mut shrinker = Shrinker { case, document, failure, trials: 0, effort, control };
    while !refused && shrinker.pass() && shrinker.goes_on() {}
    let Shrinker { mut case, document, failure, trials, .. } = shrinker;
    case.text = document.to_string();
    Shrunk { case, failure, trials }
}

struct Shrinker<'a> {
    case: Case,
    document: DocumentMut,
    failure: Failure,
    trials: u32,
    effort: Effort<'a>,
    control: &'a dyn Fn(&Case) -> bool,
}

impl Shrinker<'_> {
    fn goes_on(&self) -> bool {
        self.trials < self.effort.runs && !self.effort.stop.load(Ordering::Relaxed)
    }

    /// Tries every change once; whether one was kept.
    fn pass(&mut self) -> bool {
        let mut progress = self.shorten();
        progress |= self.level_loads();
        progress |= self.remove_parts();
        progress | self.simplify()
    }

    /// Keeps the changed document if it fails in the same way.
    fn keep(&mut self, document: DocumentMut) -> bool {
        if !self.goes_on() {
            return false;
        }
        self.trials += 1;
        let case = Case { text: document.to_string(), ..self.case.clone() };
        let same = |failure: &Failure| failure.property == self.failure.property;
        let Some(failure) = case.run().failures.into_iter().find(same) else { return false };
        if !(self.control)(&case) {
            return false;
        }
        self.failure = failure;
        self.document = document;
        true
    }

    /// A run that ends soon after the violation, or sooner.
    fn shorten(&mut self) -> bool {
        let Ok(model) = (Case { text: self.document.to_string(), ..self.case.clone() }).model()
        else {
            return false;
        };
        let seconds = |span: Span| span.as_nanos() / 1_000_000_000;
        let (whole, at) = (seconds(model.duration), seconds(self.failure.at));
        let soon = (at / 60 + 2) * 60;
        let mut progress = false;
        for shorter in [whole / 8, whole / 4, whole / 2, soon, soon.max(600) / 600 * 600] {
            if shorter < 60 || shorter >= whole {
                continue;
            }
            let mut document = self.document.clone();
            document["duration"] = value(Span::from_mins(shorter / 60).to_string());
            if self.keep(document) {
                progress = true;
                break;
            }
        }
        progress
    }

    /// A constant rate in place of each load that is not one.
    fn level_loads(&mut self) -> bool {
        let Ok(model) = (Case { text: self.document.to_string(), ..self.case.clone() }).model()
        else {
            return false;
        };
        let mut progress = false;
        for index in 0..model.loads.len() {
            let Some(load) = self.document.get("load").and_then(|loads| loads.get(index)) else {
                continue;
            };
            if load.get("kind").and_then(Item::as_str) == Some("constant") {
                continue;
            }
            let one = [model.loads[index].clone()];
            let requests = crate::scenario::expected(&one, model.duration);
            let mean = requests * f64::from(model.grain) / model.duration.as_secs_f64();
            for factor in [1.0, 2.0, 4.0] {
                let rate = (mean * factor * 10.0).ceil() / 10.0;
                let mut document = self.document.clone();
                let mut table = toml_edit::Table::new();
                table["kind"] = value("constant");
                table["rate"] = value(rate);
                if let Some(loads) = document["load"].as_array_of_tables_mut()
                    && let Some(place) = loads.get_mut(index)
                {
                    *place = table;
                }
                if self.keep(document) {
                    progress = true;
                    break;
                }
            }
        }
        progress
    }

    /// Without each part in turn, the largest first; within an array the last first, so that those
    /// before it keep their places.
    fn remove_parts(&mut self) -> bool {
        let mut progress = false;
        let mut left: Vec<Path> = parts(&self.document);
        while let Some(path) = left.pop() {
            let mut document = self.document.clone();
            if remove(document.as_item_mut(), &path) && self.keep(document) {
                progress = true;
                left.retain(|other| !other.starts_with(&path));
            }
        }
        progress
    }

    fn simplify(&mut self) -> bool {
        let mut progress = false;
        for path in parts(&self.document) {
            for simple in simpler(&self.document, &path) {
                let mut document = self.document.clone();
                let put = put(document.as_item_mut(), &path, simple);
                if put.is_ok() && self.keep(document) {
                    progress = true;
                    break;
                }
            }
        }
        progress
    }
}
