//! Machines from a provider that has limits: asked for, granted, given back.

use tidegate_core::fact::FactSink;
use tidegate_core::{Command, Failure, Outcome, ServerId};

use crate::provider::Ask;

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

    /// When machines were given back since the last call.
    pub fn take_releases(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.releases)
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
        self.later(begins, Event::Granted, ask.command, ask.manner);
    }

    fn refuse_start(&mut self, command: Command) {
        self.pending.push_back(Notice::Completed {
            id: command.id,
            term: command.generation.term(),
            outcome: Outcome::Failed(Failure::OutOfCapacity),
        });
    }

    /// The machine begins to boot, unless nobody wants it any more.
    pub(super) fn granted(&mut self, index: usize) {
        let Some((command, manner)) = self.effects[index].take() else { return };
        if command.generation < self.servers[command.server.index()].generation {
            self.releases.push(self.now);
            return;
        }
        self.given[command.server.index()] = true;
        self.power_on(command.server);
        let boot = self.choose.boot.draw();
        let boot = self.slower_boot(command.server, boot);
        self.later(self.now.saturating_add(boot), Event::Effect, command, manner);
    }

    /// A machine that the provider gave goes back to it.
    pub(super) fn give_back(&mut self, server: ServerId) {
        if std::mem::take(&mut self.given[server.index()]) {
            self.releases.push(self.now);
        }
    }
}
