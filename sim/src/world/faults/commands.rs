//! What becomes of commands while faults are on.

use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::{Command, CommandKind, Failure, ServerId, Span};

use crate::model::{FaultKind, Injection, Part};
use crate::world::machine::Manner;
use crate::world::{Event, World};

/// How long a refusal takes.
const REFUSAL: u64 = 1_000_000_000;

impl<S: FactSink> World<S> {
    /// Begins to carry out `command`; a [`Notice::Completed`] tells when its effect is in place.
    /// A repeated command takes its time again and changes nothing twice.
    ///
    /// [`Notice::Completed`]: crate::world::Notice::Completed
    pub fn execute(&mut self, command: Command) {
        if self.faults.is_none() {
            return self.carry_out(command, Manner::SOUND);
        }
        self.arm(command);
        if let Some(fault) = self.trouble(command) {
            let Injection { kind, by, .. } = self.model.faults[usize::from(fault)];
            self.disturb(command, kind, by);
        } else if let Some(failure) = self.unreachable(command) {
            self.refuse(command, failure);
        } else {
            self.carry_out(command, Manner::SOUND);
        }
    }

    /// The fault that befalls a command, if one does.
    fn trouble(&mut self, command: Command) -> Option<u16> {
        let faults = self.faults.as_mut()?;
        let armed =
            faults.armed.iter_mut().find(|one| one.command == command.id && one.attempts > 0);
        if let Some(armed) = armed {
            armed.attempts -= 1;
            let fault = armed.fault;
            self.count_fault(fault);
            self.tell(Fact::FaultBegan { fault });
            self.tell(Fact::FaultEnded { fault });
            return Some(fault);
        }
        let step = command.kind.step();
        let starts = command.kind == CommandKind::PowerOn;
        let of_provider = starts || command.kind == CommandKind::PowerOff;
        let concerns = |one: &Injection| {
            let kind = one.kind;
            let of_step = kind.is_of_commands() && one.step.is_none_or(|of| of == step);
            let refuses = kind == FaultKind::OutOfCapacity || kind == FaultKind::BootFails;
            let provider = kind == FaultKind::RateLimited || kind == FaultKind::ProviderSlow;
            let routes = matches!(command.kind, CommandKind::Join { .. } | CommandKind::Drain);
            one.concerns(command.server)
                && (routes || kind != FaultKind::ChangeLost)
                && (of_step || starts && refuses || of_provider && provider)
        };
        self.befalls(concerns).map(|active| active.fault)
    }

    fn disturb(&mut self, command: Command, kind: FaultKind, by: Span) {
        let later = self.now.saturating_add(by.as_nanos().cast_unsigned());
        if kind == FaultKind::CommandFails {
            self.refuse(command, Failure::Refused);
        } else if kind == FaultKind::OutOfCapacity {
            self.refuse(command, Failure::OutOfCapacity);
        } else if kind == FaultKind::RateLimited {
            self.refuse(command, Failure::RateLimited);
        } else if kind == FaultKind::BootFails {
            self.power_on(command.server);
        } else if kind == FaultKind::AnswerLost {
            self.carry_out(command, Manner::MUTE);
        } else if kind == FaultKind::AnswerTwice {
            self.carry_out(command, Manner { again: Some(by), ..Manner::SOUND });
        } else if kind == FaultKind::CommandLate || kind == FaultKind::ProviderSlow {
            self.later(later, Event::Deliver, command, Manner::SOUND);
        } else if kind == FaultKind::CommandTwice {
            self.carry_out(command, Manner::SOUND);
            self.later(later, Event::Deliver, command, Manner::MUTE);
        } else if kind == FaultKind::ChangeLost {
            let change = self.model.proxy.change.as_nanos().cast_unsigned();
            let without = Manner { acts: false, ..Manner::SOUND };
            self.later(self.now + change, Event::Effect, command, without);
        }
    }

    /// The command cannot be delivered, for the network is cut.
    fn unreachable(&mut self, command: Command) -> Option<Failure> {
        let part = match command.kind {
            CommandKind::PowerOn | CommandKind::PowerOff => Part::Provider,
            CommandKind::Join { .. } | CommandKind::Drain => Part::Proxy,
            CommandKind::StartServices
            | CommandKind::QuiesceJobs
            | CommandKind::ResumeJobs
            | CommandKind::StopServices => {
                let cut = self.is_cut_off(Part::Controller, command.server);
                return cut.then_some(Failure::Unreachable);
            }
        };
        self.is_unheard(part).then_some(Failure::Unreachable)
    }

    fn refuse(&mut self, command: Command, failure: Failure) {
        let fails = Manner { acts: false, fails: Some(failure), ..Manner::SOUND };
        self.later(self.now + REFUSAL, Event::Effect, command, fails);
    }

    /// A command that was on its way arrives.
    pub(in crate::world) fn deliver(&mut self, index: usize) {
        if let Some((command, manner)) = self.effects[index].take() {
            self.carry_out(command, manner);
        }
    }

    /// By how much longer a machine boots.
    pub(in crate::world) fn slower_boot(&mut self, server: ServerId, boot: u64) -> u64 {
        if self.faults.is_none() {
            return boot;
        }
        let slow = |one: &Injection| one.kind == FaultKind::BootSlow && one.concerns(server);
        let factor = self
            .befalls(slow)
            .map_or(1.0, |active| self.model.faults[usize::from(active.fault)].factor);
        (boot as f64 * factor) as u64
    }
}
