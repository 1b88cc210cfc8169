//! Machines that stand still for a while: nothing on them is lost, and nothing of theirs goes on.

use tidegate_core::fact::FactSink;
use tidegate_core::{Command, CommandKind, Power, ServerId, Span};

use crate::world::World;

impl<S: FactSink> World<S> {
    /// Lets a machine stand still; whether it runs at all.
    pub(super) fn freeze(&mut self, server: ServerId, length: Span) -> bool {
        let machine = &mut self.servers[server.index()];
        if machine.power == Power::Off {
            return false;
        }
        let until = self.now.saturating_add(length.as_nanos().cast_unsigned());
        machine.thaws = machine.thaws.max(until);
        machine.cpu.set_cores(self.now, 0);
        self.cpu_changed(server.index());
        true
    }

    /// Lets it go on, as it does too when its power is cut.
    pub(in crate::world) fn thaw(&mut self, server: ServerId) {
        let machine = &mut self.servers[server.index()];
        if machine.thaws > 0 {
            machine.thaws = 0;
            machine.cpu.set_cores(self.now, machine.cores);
            self.cpu_changed(server.index());
        }
    }

    /// Until when a machine stands still, if it does.
    pub(in crate::world) fn frozen(&self, server: ServerId) -> Option<u64> {
        let thaws = self.servers[server.index()].thaws;
        (thaws > self.now).then_some(thaws)
    }

    /// Until when nothing comes of a command, for the machine would have to do it.
    pub(in crate::world) fn held_up(&self, command: Command) -> Option<u64> {
        let on_the_machine = match command.kind {
            CommandKind::PowerOn
            | CommandKind::StartServices
            | CommandKind::QuiesceJobs
            | CommandKind::ResumeJobs
            | CommandKind::StopServices => true,
            CommandKind::Join { .. } | CommandKind::Drain | CommandKind::PowerOff => false,
        };
        self.frozen(command.server).filter(|_| on_the_machine)
    }
}
