//! Every step of both sequences, and every input around them, under every fault that can befall it.
//!
//! The scenario is run once to learn which commands are given and when the controller hears
//! something. Then it is run again for each of them with one fault, and judged.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Deserialize;
use tidegate_core::{Command, Span, StepName, Timestamp};

use super::case::{Base, Case, Failure, REFUSED, failures_of};
use super::draw::leave_out;
use crate::model::CommandCount;
use crate::run::run;
use crate::scenario::{Edits, expected_requests};
use crate::side_by_side::side_by_side;

/// Requests of each run, about.
const REQUESTS: f64 = 8_000.0;
/// Around a sequence, inputs so long before and after it count too.
const AROUND: Span = Span::from_secs(30);
/// Commands of each kind that are tried.
const EACH: u32 = 2;

/// What befalls a command: a name, and the keys of the fault.
const FAULTS: [(&str, &str); 18] = [
    ("fails once", "kind = \"command-fails\""),
    ("fails always", "kind = \"command-fails\", attempts = 1000"),
    ("times out once", "kind = \"command-lost\""),
    ("times out always", "kind = \"command-lost\", attempts = 1000"),
    ("answer lost", "kind = \"answer-lost\""),
    ("answer lost always", "kind = \"answer-lost\", attempts = 1000"),
    ("answered twice", "kind = \"answer-twice\", by = \"20s\""),
    ("answered late", "kind = \"command-late\", by = \"11m\""),
    ("done twice", "kind = \"command-twice\", by = \"20s\""),
    ("routing not changed", "kind = \"change-lost\""),
    ("server dies after", "kind = \"server-dies\", after = \"2s\""),
    ("controller killed before", "kind = \"controller-killed\", point = \"before\", for = \"10s\""),
    ("controller killed stored", "kind = \"controller-killed\", for = \"10s\""),
    ("controller killed after", "kind = \"controller-killed\", point = \"acted\", for = \"10s\""),
    ("gone for an hour before", "kind = \"controller-killed\", point = \"before\", for = \"1h\""),
    ("gone for an hour stored", "kind = \"controller-killed\", for = \"1h\""),
    ("gone for an hour after", "kind = \"controller-killed\", point = \"acted\", for = \"1h\""),
    ("two controllers", "kind = \"second-controller\", for = \"10m\""),
];

/// What befalls the controller at an input: a name, and the keys of the fault but for its time.
const AT_INPUTS: [(&str, &str); 2] = [
    ("killed at each input", "kind = \"controller-killed\", for = \"10s\""),
    ("taken over at each input", "kind = \"second-controller\", for = \"1m\""),
];

/// A cell of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Runs.
    pub tried: u64,
    /// Those of them that violated something.
    pub failed: u64,
    /// Those in which the fault befell nothing, for there was nothing left to befall.
    pub missed: u64,
    /// The first that did.
    pub first: Option<Failure>,
}

/// What came of everything, by fault and by step; by sequence where the inputs around it are meant.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The cells; the first key is the fault's place, the second the column's.
    pub cells: BTreeMap<(usize, usize), Cell>,
    /// The first failing case of each property.
    pub failing: Vec<(Case, Failure)>,
    /// Properties that are violated without a fault too, which say nothing of one.
    pub calm: Vec<String>,
    /// Steps that the scenario never takes.
    pub untried: Vec<StepName>,
    /// Runs that there were to be.
    pub wanted: u64,
}

impl Table {
    /// Names of the rows.
    pub fn faults() -> Vec<&'static str> {
        FAULTS.iter().chain(&AT_INPUTS).map(|(name, _)| *name).collect()
    }

    /// Names of the columns.
    pub fn columns() -> Vec<&'static str> {
        StepName::ALL.into_iter().map(StepName::name).collect()
    }

    /// Whether no cell failed.
    pub fn holds(&self) -> bool {
        self.cells.values().all(|cell| cell.failed == 0)
    }

    /// Runs in all.
    pub fn tried(&self) -> u64 {
        self.cells.values().map(|cell| cell.tried).sum()
    }
}

/// What is to be tried: row, column and fault.
type Trial = (usize, usize, String);

/// Tries every fault at every step of `base`, until `stop` says that those done are enough; `done`
/// is told after each run how many of how many.
///
/// # Errors
/// If the scenario cannot be read or run.
pub fn exhaustive(
    base: &Base,
    jobs: NonZeroUsize,
    stop: &AtomicBool,
    done: &(dyn Fn(u64, u64) + Sync),
) -> Result<Table, Failure> {
    let (entries, calm) = listen(&case(base, None))?;
    let trials = trials(base, &entries);
    let count = trials.len() as u64;
    let found = Mutex::new((0u64, Vec::new()));
    // A run that fails is a result, not an error.
    let trials = trials.iter().enumerate().take_while(|_| !stop.load(Ordering::Relaxed));
    let _ = side_by_side(jobs, trials, |(number, (row, column, fault))| {
        let case = case(base, Some(fault));
        let outcome = case.run();
        let hits: u64 = outcome.faults.iter().map(|(_, hits)| hits).sum();
        if let Ok(mut found) = found.lock() {
            found.0 += 1;
            done(found.0, count);
            found.1.push((number, (*row, *column), case, outcome.failures, hits));
        }
        Ok::<(), ()>(())
    });
    let (_, mut results) = found.into_inner().unwrap_or_default();
    results.sort_by_key(|(number, ..)| *number);
    let mut table = Table { untried: untried(&entries), calm, wanted: count, ..Table::default() };
    for (_, place, case, mut failures, hits) in results {
        failures.retain(|one| !table.calm.contains(&one.property));
        let cell = table.cells.entry(place).or_default();
        cell.tried += 1;
        cell.missed += u64::from(hits == 0);
        let Some(first) = failures.first() else { continue };
        cell.failed += 1;
        cell.first.get_or_insert_with(|| first.clone());
        for failure in failures {
            if table.failing.iter().all(|(_, known)| known.property != failure.property) {
                table.failing.push((case.clone(), failure));
            }
        }
    }
    Ok(table)
}

/// The base with few, heavy requests, and with a fault if one is given.
fn case(base: &Base, fault: Option<&str>) -> Case {
    let mut edits = Edits::new();
    leave_out(&mut edits);
    let model = &base.model;
    let requests = expected_requests(model) * f64::from(model.grain);
    edits.set("grain", format!("{}", (requests / REQUESTS).ceil().clamp(1.0, 10_000.0)));
    if let Some(fault) = fault {
        let keys: toml_edit::InlineTable =
            format!("{{ {fault} }}").parse::<toml_edit::Value>().map_or_else(
                |_| toml_edit::InlineTable::new(),
                |value| value.as_inline_table().cloned().unwrap_or_default(),
            );
        for (key, value) in &keys {
            edits.set(&format!("fault.{}.{key}", model.faults.len()), value.to_string().trim());
        }
    }
    let text = edits.apply(&base.text).unwrap_or_else(|_| base.text.clone());
    let (name, file) = (base.name.clone(), base.file.clone());
    Case { name, file, text, directory: base.directory.clone() }
}

/// When the controller heard something, and what it had done then.
type Heard = (Span, Vec<Command>);

/// A line of the journal, as far as it is of interest here.
#[derive(Debug, Deserialize)]
struct Entry {
    at: Timestamp,
    #[serde(default)]
    commands: Vec<Command>,
}

/// What the controller hears and says in a run without a fault, and what that violates.
fn listen(calm: &Case) -> Result<(Vec<Heard>, Vec<String>), Failure> {
    let refused = |what: String| Failure { property: REFUSED.to_owned(), what, at: Span::ZERO };
    let model = calm.model().map_err(|why| refused(why.to_string()))?;
    let mut journal = Vec::new();
    let finished = run(&model, &mut journal, &mut |_| {});
    let finished = finished.map_err(|why| refused(why.to_string()))?;
    let line = |line: &[u8]| {
        let entry: Entry = serde_json::from_slice(line).ok()?;
        Some((entry.at.since(model.start), entry.commands))
    };
    let heard = journal.split(|byte| *byte == b'\n').filter_map(line).collect();
    let violated = failures_of(&model, &finished.record.summary);
    Ok((heard, violated.into_iter().map(|one| one.property).collect()))
}

/// New commands with their place among those of their kind, in the order of time.
fn commands(entries: &[Heard]) -> Vec<(Span, StepName, u32)> {
    let mut count = CommandCount::default();
    let given = |(at, commands): &Heard| {
        let new = commands.iter().filter_map(|command| count.count(command));
        new.map(|(step, nth)| (*at, step, nth)).collect::<Vec<_>>()
    };
    entries.iter().flat_map(given).collect()
}

fn untried(entries: &[Heard]) -> Vec<StepName> {
    let given = commands(entries);
    let never = |step: &StepName| given.iter().all(|(_, other, _)| other != step);
    StepName::ALL.into_iter().filter(never).collect()
}

fn trials(base: &Base, entries: &[Heard]) -> Vec<Trial> {
    let given = commands(entries);
    let mut trials = Vec::new();
    for (row, (_, fault)) in FAULTS.iter().enumerate() {
        for (_, step, nth) in given.iter().filter(|(.., nth)| *nth <= EACH) {
            let routes = matches!(step, StepName::Join | StepName::Drain);
            if fault.contains("change-lost") && !routes {
                continue;
            }
            let of = format!("{fault}, step = \"{}\", nth = {nth}", step.name());
            trials.push((row, *step as usize, of));
        }
    }
    let mut last = None;
    for (at, _) in entries {
        if last == Some(*at) {
            continue;
        }
        last = Some(*at);
        let Some(column) = nearest(&given, *at) else { continue };
        for (row, (_, fault)) in AT_INPUTS.iter().enumerate() {
            for moment in [*at, *at + Span::from_nanos(1)] {
                if moment < base.model.duration {
                    let row = FAULTS.len() + row;
                    trials.push((row, column, format!("{fault}, at = \"{moment}\"")));
                }
            }
        }
    }
    trials
}

/// The column of the command that an input at `at` is near to: the last before it in the same
/// sequence, or the first soon after it.
fn nearest(given: &[(Span, StepName, u32)], at: Span) -> Option<usize> {
    let before = given.iter().rev().find(|(time, ..)| *time <= at);
    let after = given.iter().find(|(time, ..)| *time > at && *time - at <= AROUND);
    let ends = |step: StepName| matches!(step, StepName::Join | StepName::PowerOff);
    let within = before.filter(|(time, step, _)| !ends(*step) || at - *time <= AROUND);
    within.or(after).map(|(_, step, _)| *step as usize)
}
