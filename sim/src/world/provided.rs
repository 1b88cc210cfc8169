//! Machines from a provider that has limits: asked for, granted, given back.

use tidegate_core::fact::FactSink;
use tidegate_core::{Command, Failure, Outcome, ServerId};

use crate::provider::{Ask, Grant, Return};

use super::machine::Manner;
use super::{Event, Notice, World};

impl<S: FactSink> World<S> {
    /// What the provider is asked for, which must be answered before time goes on.
    pub fn asks(&self) -> &[Ask] {
        &self.asks
    }

    /// The same, which counts as put to it.
    pub fn take_asks(&mut self) -> Vec<Ask> {
        std::mem::take(&mut self.asks)
    }

    /// The machines that were given back since the last call.
    pub fn take_returns(&mut self) -> Vec<Return> {
        std::mem::take(&mut self.returns)
    }

    /// A start is asked for. While one is under way for the same server, another changes nothing.
    pub(super) fn ask_provider(&mut self, command: Command, manner: Manner) {
        let same = |other: &Command| other.server == command.server && other.id == command.id;
        let pending = self.effects.iter().flatten().any(|(other, _)| same(other));
        if !pending && !self.asks.iter().any(|ask| same(&ask.command)) {
            self.asks.push(Ask { at: self.now, command, manner });
        }
    }

    /// The provider's answer: when the machine begins to boot, or that there is none.
    pub fn provider_answers(&mut self, ask: Ask, begins: Option<u64>) {
        let Some(begins) = begins else { return self.refuse_start(ask.command) };
        self.grants[ask.command.server.index()] = Grant::Turn(begins);
        self.later(begins, Event::Granted, ask.command, ask.manner);
    }

    fn refuse_start(&mut self, command: Command) {
        self.pending.push_back(Notice::Completed {
            id: command.id,
            term: command.generation.term(),
            outcome: Outcome::Failed(Failure::OutOfCapacity),
        });
    }

    /// The machine begins to boot, unless its start was withdrawn.
    pub(super) fn granted(&mut self, index: usize) {
        let Some((command, manner)) = self.effects[index].take() else { return };
        if command.generation < self.servers[command.server.index()].generation {
            return;
        }
        self.grants[command.server.index()] = Grant::Machine;
        self.power_on(command.server);
        let boot = self.choose.boot.draw();
        let boot = self.slower_boot(command.server, boot);
        self.later(self.now.saturating_add(boot), Event::Effect, command, manner);
    }

    /// A start that still waits for its turn is withdrawn.
    pub(super) fn withdraw_start(&mut self, server: ServerId) {
        if matches!(self.grants[server.index()], Grant::Turn(_)) {
            self.give_back(server);
        }
    }

    /// What the provider gave for the server goes back to it.
    pub(super) fn give_back(&mut self, server: ServerId) {
        let turn = match std::mem::take(&mut self.grants[server.index()]) {
            Grant::Nothing => return,
            Grant::Turn(at) => Some(at),
            Grant::Machine => None,
        };
        self.returns.push(Return { at: self.now, turn });
    }
}
