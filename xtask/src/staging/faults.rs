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

/// A fault that the stack can do, and its place in the scenario.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planned {
    index: u16,
    act: Act,
    fault: Injection,
}

/// What goes wrong in a scenario.
///
/// # Errors
/// If the stack has no way to do one of them.
pub(super) fn plan(model: &Model, tier: Tier) -> Result<Vec<Planned>, Failure> {
    let planned = |(index, fault): (u16, &Injection)| {
        Ok(Planned { index, act: Act::of(fault, tier)?, fault: *fault })
    };
    (0..).zip(&model.faults).map(planned).collect()
}

/// Of a scenario's faults, those that are to come and those that are on.
#[derive(Debug)]
pub(super) struct Faults {
    /// Those that wait for a command to come to a point, and how long after it they begin.
    waiting: Vec<(Point, Span, Planned)>,
    /// Those whose time is known, by this machine's clock in nanoseconds.
    due: Vec<(i64, Planned)>,
    /// Those that are on, and until when.
    on: Vec<(i64, Planned)>,
    /// When which began and ended.
    facts: Vec<Told>,
    tempo: Tempo,
}

impl Faults {
    /// Those that were planned. The stack sees attempts at commands, so it can tell the first of a
    /// kind alone.
    pub fn new(planned: Vec<Planned>, tempo: Tempo) -> Self {
        let (mut waiting, mut due) = (Vec::new(), Vec::new());
        for planned in planned {
            match planned.fault.onset {
                Onset::At(at) => due.push(((tempo.start + tempo.length(at)).as_nanos(), planned)),
                Onset::Command { step, delay, .. } => {
                    waiting.push((Point { step, side: side(&planned.fault) }, delay, planned));
                }
                // None is planned that comes again and again.
                Onset::Every(_) => {}
            }
        }
        Self { waiting, due, on: Vec::new(), facts: Vec::new(), tempo }
    }

    /// A command has come to a point; whether the controller dies of it.
    pub fn reached(&mut self, point: Point, now: i64) -> bool {
        let mut kills = false;
        for (_, delay, planned) in self.waiting.extract_if(.., |(at, ..)| *at == point) {
            kills |= planned.act == Act::KillController;
            self.due.push((now + self.tempo.length(delay).as_nanos(), planned));
        }
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
        let waiting = self.waiting.iter().map(|(.., planned)| planned);
        waiting.chain(timed).map(|planned| shown(&planned.fault)).collect()
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

/// On which side of a command a fault begins with it.
fn side(fault: &Injection) -> Side {
    let acted = fault.kind == FaultKind::ControllerKilled && fault.point == CrashPoint::Acted;
    if acted { Side::After } else { Side::Before }
}

fn shown(fault: &Injection) -> String {
    let name = fault.kind.name();
    match fault.onset {
        Onset::Command { step, .. } if fault.kind == FaultKind::ControllerKilled => {
            let side = if side(fault) == Side::After { "after" } else { "before" };
            format!("{name} {side} {}", step.name())
        }
        Onset::Command { step, delay, .. } => format!("{name} {delay} after {}", step.name()),
        Onset::At(at) => format!("{name} at {at}"),
        Onset::Every(every) => format!("{name} every {every}"),
    }
}
