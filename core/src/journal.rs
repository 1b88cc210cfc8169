//! The journal: every input of a controller and what it made of it, a line each. A live run and a
//! simulated one write the same.

use serde::{Deserialize, Serialize};

use crate::command::Command;
use crate::controller::{Controller, Input, Step};
use crate::decision::Decision;
use crate::time::Timestamp;

/// A line to be written, as one JSON object. A decision that reads like the one before is left out:
/// stepping the controller through the inputs gives it again.
#[derive(Clone, Debug, Serialize)]
pub struct Line<'a> {
    at: Timestamp,
    input: &'a Input,
    #[serde(skip_serializing_if = "<[Command]>::is_empty")]
    commands: &'a [Command],
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'a Decision>,
}

impl<'a> Line<'a> {
    /// What follows a line whose decision was `last`, if there was one.
    pub fn after(last: Option<&Decision>, at: Timestamp, input: &'a Input, step: &'a Step) -> Self {
        let same = last.is_some_and(|last| last.reads_like(&step.decision));
        let decision = (!same).then_some(&step.decision);
        Self { at, input, commands: &step.commands, decision }
    }
}

/// A line that was read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// When the controller was stepped.
    pub at: Timestamp,
    /// With what.
    pub input: Input,
    /// What it asked for.
    #[serde(default)]
    pub commands: Vec<Command>,
    /// What it decided, unless that reads like the decision of an entry before.
    #[serde(default)]
    pub decision: Option<Decision>,
}

/// Steps a controller through a journal again.
#[derive(Clone, Debug)]
pub struct Replay {
    controller: Controller,
    last: Option<Decision>,
}

impl Replay {
    /// From `controller` on, whose last decision was `last` if it had made any.
    pub const fn new(controller: Controller, last: Option<Decision>) -> Self {
        Self { controller, last }
    }

    /// Steps with the input of `entry`; whether the step reads as it was written.
    pub fn step(&mut self, entry: &Entry) -> (Step, bool) {
        let step = self.controller.step(entry.at, entry.input.clone());
        let Line { commands, decision, .. } =
            Line::after(self.last.as_ref(), entry.at, &entry.input, &step);
        let same = commands == entry.commands && decision == entry.decision.as_ref();
        self.last = Some(step.decision);
        (step, same)
    }

    /// The controller as it is now.
    pub const fn controller(&self) -> &Controller {
        &self.controller
    }

    /// It and its last decision.
    pub fn into_parts(self) -> (Controller, Option<Decision>) {
        (self.controller, self.last)
    }
}
