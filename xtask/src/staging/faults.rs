//! The faults of a scenario, on real software: each begins when it says, lasts as long as it says,
//! and must have the outcome that the simulation gives it.

mod act;
mod named;

use tidegate_core::fact::Fact;
use tidegate_core::record::Told;
use tidegate_core::{Span, Timestamp};
use tidegate_sim::model::{CrashPoint, FaultKind, Injection, Model, Onset};

use super::config::Tempo;
use super::failure::Failure;
use super::points::{Point, Side};
use super::stack::Stack;
use super::tell::say;
use super::tier::Tier;

use act::Act;
pub(super) use named::Named;

/// A fault, and its place in the scenario.
#[derive(Clone, Copy, Debug)]
struct Planned {
    index: u16,
    act: Act,
    fault: Injection,
}

/// Of a scenario's faults, those that are to come and those that are on.
#[derive(Debug)]
pub(super) struct Faults {
    /// Those that wait for a command.
    waiting: Vec<Planned>,
    /// Those whose time is known, by this machine's clock in nanoseconds.
    due: Vec<(i64, Planned)>,
    /// Those that are on, and until when.
    on: Vec<(i64, Planned)>,
    /// When which began and ended.
    facts: Vec<Told>,
    tempo: Tempo,
}

impl Faults {
    /// Those of a scenario.
    ///
    /// # Errors
    /// If the stack has no way to do one of them.
    pub fn new(model: &Model, tempo: Tempo, tier: Tier) -> Result<Self, Failure> {
        let (mut waiting, mut due) = (Vec::new(), Vec::new());
        for (index, fault) in (0..).zip(&model.faults) {
            let planned = Planned { index, act: Act::of(fault, tier)?, fault: *fault };
            if let Onset::At(at) = fault.onset {
                due.push(((tempo.start + tempo.length(at)).as_nanos(), planned));
            } else {
                waiting.push(planned);
            }
        }
        Ok(Self { waiting, due, on: Vec::new(), facts: Vec::new(), tempo })
    }

    /// A command has come to a point; whether the controller dies of it.
    pub fn reached(&mut self, point: Point, now: i64) -> bool {
        let (begun, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|planned| begins(&planned.fault, point).is_some());
        self.waiting = waiting;
        let kills = begun.iter().any(|one| one.act == Act::KillController);
        self.due.extend(begun.into_iter().map(|planned| {
            let after = begins(&planned.fault, point).unwrap_or_default();
            (now + self.tempo.length(after).as_nanos(), planned)
        }));
        kills
    }

    /// Begins and ends what is due.
    pub fn look(&mut self, stack: &mut Stack, now: i64) -> Result<(), Failure> {
        while let Some(index) = self.due.iter().position(|(at, _)| *at <= now) {
            let (_, planned) = self.due.swap_remove(index);
            say(&format!(
                "A fault begins: {}, for {}",
                shown(&planned.fault),
                planned.fault.length
            ));
            planned.act.begin(&planned.fault, stack)?;
            self.note(Fact::FaultBegan { fault: planned.index }, now);
            self.on.push((now + self.tempo.length(planned.fault.length).as_nanos(), planned));
        }
        while let Some(index) = self.on.iter().position(|(end, _)| *end <= now) {
            let (_, planned) = self.on.swap_remove(index);
            planned.act.end(&planned.fault, stack)?;
            self.note(Fact::FaultEnded { fault: planned.index }, now);
        }
        Ok(())
    }

    fn note(&mut self, fact: Fact, now: i64) {
        self.facts.push(Told::Fact { at: Timestamp::from_nanos(now), fact });
    }

    /// When which began and ended.
    pub fn facts(&self) -> &[Told] {
        &self.facts
    }

    /// Those that never began, and those that have not ended.
    pub fn missed(&self) -> Vec<String> {
        let timed = self.due.iter().chain(&self.on).map(|(_, planned)| planned);
        self.waiting.iter().chain(timed).map(|planned| shown(&planned.fault)).collect()
    }
}

/// Whether a scenario's faults can begin with commands.
pub(super) fn wait_for_commands(model: &Model) -> bool {
    model.faults.iter().any(|fault| matches!(fault.onset, Onset::Command { .. }))
}

/// Longer than a notification takes that nothing delays.
const LATE: Span = Span::from_secs(1);

/// How notifications of alerts come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivery {
    pub twice: bool,
    /// By how much too late.
    pub late: Option<Span>,
}

impl Delivery {
    /// As a scenario has it.
    pub fn of(model: &Model) -> Self {
        let twice = model.faults.iter().any(|fault| fault.kind == FaultKind::AlertsTwice);
        let delay = model.alerts.as_ref().map_or(Span::ZERO, |alerts| alerts.delay);
        Self { twice, late: (delay >= LATE).then_some(delay) }
    }
}

/// Whether anything goes wrong in a scenario.
pub(super) fn has_some(model: &Model) -> bool {
    !model.faults.is_empty() || Delivery::of(model).late.is_some()
}

/// Whether the stack can do what goes wrong in a scenario.
pub(super) fn check(model: &Model, tier: Tier) -> Result<(), Failure> {
    model.faults.iter().try_for_each(|fault| Act::of(fault, tier).map(drop))
}

/// After how long a fault begins that waits for a command, if this is the one. The stack sees
/// attempts, so it can tell the first command of a kind alone.
fn begins(fault: &Injection, point: Point) -> Option<Span> {
    let Onset::Command { step, delay, .. } = fault.onset else { return None };
    let acted = fault.kind == FaultKind::ControllerKilled && fault.point == CrashPoint::Acted;
    let side = if acted { Side::After } else { Side::Before };
    (point == Point { step, side }).then_some(delay)
}

fn shown(fault: &Injection) -> String {
    let name = fault.kind.name();
    match fault.onset {
        Onset::Command { step, .. } if fault.kind == FaultKind::ControllerKilled => {
            let side = if fault.point == CrashPoint::Acted { "after" } else { "before" };
            format!("{name} {side} {}", step.name())
        }
        Onset::Command { step, delay, .. } => format!("{name} {delay} after {}", step.name()),
        Onset::At(at) => format!("{name} at {at}"),
        Onset::Every(every) => format!("{name} every {every}"),
    }
}
