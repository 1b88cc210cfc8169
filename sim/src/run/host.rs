//! The controller's host: it dies at any point of a step, is taken over, its clock may be wrong.

use std::io;

use tidegate_core::{Controller, Defect, Input, OperatorRequest, Span, Step};

use super::Run;
use crate::model::{CommandCount, CrashPoint, FaultKind, Injection, Model, Onset};

/// Where one host serves a whole platform: time between two turns of a group, and their length.
const TURNS: u64 = 3_600_000_000_000;
const TURN: u64 = 60_000_000_000;

/// How the controller is hosted at present.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// How many hosts there were before.
    term: u32,
    /// When the next host takes over, if there is none now.
    pub up_at: Option<u64>,
    /// Faults that end then.
    ending: Vec<u16>,
    /// By how much its clock is ahead.
    pub ahead: Span,
    /// A host that does not know that it was taken over.
    rival: Option<Controller>,
    /// What people asked for while there was no host: they ask again.
    asked: Vec<OperatorRequest>,
    given: CommandCount,
    /// Faults that wait for a command.
    awaited: Vec<u16>,
}

impl Host {
    pub fn new(model: &Model) -> Self {
        let awaits = |(index, one): (usize, &Injection)| {
            let command = matches!(one.onset, Onset::Command { .. });
            (command && one.kind == FaultKind::ControllerKilled).then_some(index as u16)
        };
        let awaited = model.faults.iter().enumerate().filter_map(awaits).collect();
        Self { awaited, ..Self::default() }
    }

    /// Whether the state before a step may still be wanted.
    pub const fn may_die(&self) -> bool {
        !self.awaited.is_empty()
    }
}

impl Run<'_> {
    /// Something that the controller learns, if there is one, and its rival too.
    pub(super) fn take(&mut self, input: Input) -> io::Result<()> {
        self.rival_takes(&input);
        if self.host.up_at.is_none() {
            return self.step(input);
        }
        if let Input::Request(request) = input {
            self.host.asked.push(request);
        }
        Ok(())
    }

    /// A host that serves a whole platform hears of a group's answers alone until its next turn.
    pub(super) fn waits_for_its_turn(&mut self, input: &Input) -> bool {
        let answer = matches!(input, Input::Complete { .. } | Input::TakeOver { .. });
        let now = self.world.now();
        if answer || !self.model.group.defects.has(Defect::SerialHost) || now % TURNS < TURN {
            return false;
        }
        self.wake = now - now % TURNS + TURNS;
        true
    }

    /// A command of a host of `term` has ended. A host that is gone does not learn of it.
    pub(super) fn completed(&mut self, input: Input, term: u32) -> io::Result<()> {
        if term == self.host.term {
            return if self.host.up_at.is_none() { self.step(input) } else { Ok(()) };
        }
        self.rival_takes(&input);
        Ok(())
    }

    /// A host that was taken over acts as if it had not been. It stores nothing any more.
    fn rival_takes(&mut self, input: &Input) {
        let now = self.now() + self.host.ahead;
        let Some(rival) = &mut self.host.rival else { return };
        let step = rival.step(now, input.clone());
        for command in step.commands {
            self.world.execute(command);
        }
    }

    /// A fault of the host begins or ends.
    pub(super) fn host_fault(&mut self, fault: u16, begins: bool) -> io::Result<()> {
        let injection = self.model.faults[usize::from(fault)];
        if begins {
            self.world.count_fault(fault);
        }
        if injection.kind == FaultKind::ClockJumps {
            let by = injection.by;
            self.host.ahead = if begins { self.host.ahead + by } else { self.host.ahead - by };
        } else if injection.kind == FaultKind::ControllerKilled && begins {
            self.die(injection.length, None);
        } else if injection.kind == FaultKind::SecondController {
            self.host.rival = None;
            if begins && self.host.up_at.is_none() {
                self.host.rival = Some(self.controller.clone());
                return self.take_over();
            }
        }
        Ok(())
    }

    /// The host is gone for so long.
    fn die(&mut self, length: Span, fault: Option<u16>) {
        let up = self.world.now().saturating_add(length.as_nanos().cast_unsigned());
        self.host.up_at = Some(self.host.up_at.unwrap_or(0).max(up));
        self.host.ending.extend(fault);
        self.wake = u64::MAX;
    }

    /// Where the host dies in a step that it has just made, if it does.
    pub(super) fn dies_in(&mut self, step: &Step) -> Option<CrashPoint> {
        let mut dies = None;
        for command in &step.commands {
            let Some(given) = self.host.given.count(command) else { continue };
            let due = self.host.awaited.iter().position(|fault| {
                let onset = self.model.faults[usize::from(*fault)].onset;
                matches!(onset, Onset::Command { step, nth, .. } if (step, nth) == given)
            });
            if let Some(due) = due {
                let fault = self.host.awaited.remove(due);
                let injection = self.model.faults[usize::from(fault)];
                self.world.tell_fault(fault, true);
                self.die(injection.length, Some(fault));
                dies = dies.or(Some(injection.point));
            }
        }
        dies
    }

    /// Another host takes the controller up as it was stored.
    pub(super) fn come_up(&mut self) -> io::Result<()> {
        self.host.up_at = None;
        for fault in std::mem::take(&mut self.host.ending) {
            self.world.tell_fault(fault, false);
        }
        self.take_over()?;
        for request in std::mem::take(&mut self.host.asked) {
            self.step(Input::Request(request))?;
        }
        Ok(())
    }

    fn take_over(&mut self) -> io::Result<()> {
        let stored = serde_json::to_vec(&self.controller.snapshot())?;
        let snapshot = serde_json::from_slice(&stored)?;
        self.controller = Controller::restore(snapshot).map_err(io::Error::other)?;
        self.host.term += 1;
        let term = self.host.term;
        self.world.fence(term);
        self.step(Input::TakeOver { term })
    }
}
