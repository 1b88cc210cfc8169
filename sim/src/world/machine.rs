//! Commands, carried out: machines boot and stop, services come and go, the proxy is told.

use tidegate_core::fact::{Fact, FactSink, FailureCause};
use tidegate_core::{
    Command, CommandKind, Defect, Failure, JobId, Outcome, Power, RequestId, ServerId, Span,
};

use crate::model::{Phase, Place};
use crate::slab::{Kind, NONE};

use super::checks::Standing;
use super::connections::CONNECTING;
use super::{Event, Notice, World};

/// Steps in which the proxy raises the share of a server that has joined.
const SLOW_START_STEPS: u64 = 20;

/// How a command is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manner {
    /// It has its effect.
    pub acts: bool,
    /// It is answered.
    pub tells: bool,
    /// With a failure.
    pub fails: Option<Failure>,
    /// And again, so long after.
    pub again: Option<Span>,
}

impl Manner {
    /// As it should be.
    pub const SOUND: Self = Self { acts: true, tells: true, fails: None, again: None };
    /// Without an answer.
    pub const MUTE: Self = Self { tells: false, ..Self::SOUND };
}

/// Why work ends that is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demise {
    /// A command stopped the server.
    Stopped,
    /// Something broke.
    Broke,
    /// The kernel killed its worker.
    OutOfMemory,
}

impl<S: FactSink> World<S> {
    /// From now on hosts of a lower term are not heard.
    pub fn fence(&mut self, term: u32) {
        self.term = self.term.max(term);
        self.tell(Fact::TookOver { term });
    }

    /// Whether another host has taken over, or another sequence has begun, since it was given.
    fn is_fenced(&self, command: Command) -> bool {
        let (mine, last) = (command.generation, self.servers[command.server.index()].generation);
        let defects = self.model.group.defects;
        if defects.has(Defect::NoFenceByTerm) {
            return mine.in_term(0) < last.in_term(0);
        }
        let followed = mine < last && !defects.has(Defect::NoFenceByGeneration);
        mine.term() < self.term || followed
    }

    /// Begins to carry out a command that has arrived.
    pub(super) fn carry_out(&mut self, command: Command, manner: Manner) {
        if self.is_fenced(command) {
            return self.later(self.now, Event::Effect, command, manner);
        }
        if command.generation > self.servers[command.server.index()].generation {
            self.withdraw_start(command.server);
        }
        let server = &mut self.servers[command.server.index()];
        server.generation = command.generation;
        let change = self.model.proxy.change.as_nanos().cast_unsigned();
        let delay = match command.kind {
            CommandKind::PowerOn => {
                if self.model.provider.is_some() && server.power == Power::Off {
                    return self.ask_provider(command, manner);
                }
                self.power_on(command.server);
                let boot = self.choose.boot.draw();
                self.slower_boot(command.server, boot)
            }
            CommandKind::StartServices => {
                if self.model.group.defects.has(Defect::LaunchedIsReady) {
                    return self.launch(command, manner);
                }
                self.choose.services.draw()
            }
            CommandKind::Join { .. }
            | CommandKind::Drain
            | CommandKind::QuiesceJobs
            | CommandKind::ResumeJobs => change,
            CommandKind::StopServices => self.choose.services_stop.draw(),
            CommandKind::PowerOff => {
                self.servers[command.server.index()].power = Power::Stopping;
                self.choose.stop.draw()
            }
        };
        self.later(self.now.saturating_add(delay), Event::Effect, command, manner);
    }

    /// The answer comes at once, and the services when they have started, whatever has followed.
    fn launch(&mut self, command: Command, manner: Manner) {
        self.later(self.now, Event::Effect, command, Manner { acts: false, ..manner });
        let services = self.choose.services.draw();
        self.later(self.now.saturating_add(services), Event::Effect, command, Manner::MUTE);
    }

    /// Whether the services of a server were launched and have not started.
    pub(super) fn is_launched(&self, server: ServerId) -> bool {
        let launched = |one: &(Command, Manner)| {
            one.0.server == server && one.0.kind == CommandKind::StartServices && one.1.acts
        };
        self.model.group.defects.has(Defect::LaunchedIsReady)
            && self.effects.iter().flatten().any(launched)
    }

    /// Keeps `command` for an event that is about it.
    pub(super) fn later(&mut self, time: u64, event: Event, command: Command, manner: Manner) {
        let index = self.effects.iter().position(Option::is_none).unwrap_or(self.effects.len());
        if index == self.effects.len() {
            self.effects.push(None);
        }
        self.effects[index] = Some((command, manner));
        self.at(time, event, index as u32);
    }

    /// The machine is on from the provider's answer, and billed from then.
    pub(super) fn power_on(&mut self, server: ServerId) {
        let machine = &mut self.servers[server.index()];
        if machine.power == Power::Off {
            machine.power = Power::Booting;
            self.tell(Fact::PowerChanged { server, on: true, commanded: true });
        }
    }

    pub(super) fn effect(&mut self, index: usize) -> Option<Notice> {
        let (command, manner) = self.effects[index].take()?;
        if manner.acts
            && let Some(thaws) = self.held_up(command)
        {
            self.later(thaws, Event::Effect, command, manner);
            return None;
        }
        let launched = command.kind == CommandKind::StartServices && manner == Manner::MUTE;
        if launched && self.model.group.defects.has(Defect::LaunchedIsReady) {
            if self.servers[command.server.index()].power == Power::On {
                self.services_started(command.server);
            }
            return None;
        }
        let outcome = match manner.fails {
            _ if self.is_fenced(command) => Outcome::Failed(Failure::Fenced),
            Some(failure) => Outcome::Failed(failure),
            None if manner.acts && self.is_deaf(command) => Outcome::Failed(Failure::Unreachable),
            None => {
                if manner.acts {
                    self.act(command);
                }
                Outcome::Done
            }
        };
        let notice = Notice::Completed { id: command.id, outcome, term: command.generation.term() };
        if let Some(after) = manner.again {
            let time = self.now.saturating_add(after.as_nanos().cast_unsigned());
            let fails = match outcome {
                Outcome::Done => None,
                Outcome::Failed(failure) => Some(failure),
            };
            let again = Manner { acts: false, tells: true, fails, again: None };
            self.later(time, Event::Effect, command, again);
        }
        manner.tells.then_some(notice)
    }

    /// Whether what the command is for runs no more.
    fn is_deaf(&self, command: Command) -> bool {
        let to_the_server = match command.kind {
            CommandKind::StartServices
            | CommandKind::QuiesceJobs
            | CommandKind::ResumeJobs
            | CommandKind::StopServices => true,
            CommandKind::PowerOn
            | CommandKind::Join { .. }
            | CommandKind::Drain
            | CommandKind::PowerOff => false,
        };
        to_the_server && self.servers[command.server.index()].power != Power::On
    }

    fn act(&mut self, command: Command) {
        let Command { server, generation, .. } = command;
        self.tell(Fact::CommandApplied { server, generation });
        let machine = &mut self.servers[server.index()];
        machine.quiesced = match command.kind {
            CommandKind::QuiesceJobs => true,
            CommandKind::PowerOn | CommandKind::StartServices | CommandKind::ResumeJobs => false,
            CommandKind::Join { .. }
            | CommandKind::Drain
            | CommandKind::StopServices
            | CommandKind::PowerOff => machine.quiesced,
        };
        match command.kind {
            CommandKind::PowerOn => self.servers[server.index()].come_up(self.now),
            CommandKind::StartServices => self.services_started(server),
            CommandKind::Join { weight, slow_start } => self.joined(server, weight, slow_start),
            CommandKind::Drain => self.set_receives(server, false),
            CommandKind::QuiesceJobs => self.servers[server.index()].takes_jobs = false,
            CommandKind::ResumeJobs => self.take_jobs(server.index()),
            CommandKind::StopServices => self.services_stopped(server),
            CommandKind::PowerOff => self.powered_off(server),
        }
        if self.model.group.defects.has(Defect::ReloadCutsRequests) {
            self.cut_requests(command.kind);
        }
    }

    /// A change of routing cuts the requests in flight; the servers do not learn of it.
    fn cut_requests(&mut self, kind: CommandKind) {
        if !matches!(kind, CommandKind::Join { .. } | CommandKind::Drain) {
            return;
        }
        for server in 0..self.servers.len() {
            for slot in self.tasks.on_server(server as u16) {
                if self.tasks.get(slot).kind == Kind::Request {
                    let user = self.answer_with_error(slot, FailureCause::Killed);
                    self.tasks.get_mut(slot).kind = Kind::Abandoned;
                    if user != NONE {
                        self.answered(user, false);
                    }
                }
            }
        }
    }

    pub(super) fn services_started(&mut self, server: ServerId) {
        if self.servers[server.index()].ready {
            if !self.model.group.defects.has(Defect::StartTwice) {
                return self.take_jobs(server.index());
            }
            self.services_stopped(server);
        }
        let hardware = self.model.servers[server.index()].clone();
        let machine = &mut self.servers[server.index()];
        machine.equip(&hardware);
        (machine.ready, machine.comes_back) = (true, false);
        if let Some(flows) = &mut self.flows {
            flows.equip(server.index(), &self.model);
        }
        self.tell(Fact::ReadyChanged { server, ready: true });
        if let Some(files) = &mut self.files {
            files.forget(server);
        }
        if server.is_primary() {
            self.resume_services();
        }
        self.take_jobs(server.index());
    }

    fn joined(&mut self, server: ServerId, weight: u16, slow_start: Span) {
        let length = slow_start.as_nanos().cast_unsigned();
        let machine = &mut self.servers[server.index()];
        machine.weight = weight.max(1);
        machine.standing = Standing::GOOD;
        machine.ramp = (self.now, self.now.saturating_add(length));
        self.slow_start(server.index());
        self.set_receives(server, true);
    }

    /// Sets a server's present share of the traffic, and looks again until it is the whole of it.
    pub(super) fn slow_start(&mut self, index: usize) {
        let machine = &mut self.servers[index];
        let (from, to) = machine.ramp;
        machine.share = machine.share_at(self.now);
        if self.now < to {
            let step = (to - from).div_ceil(SLOW_START_STEPS);
            self.at((self.now + step).min(to), Event::SlowStart, index as u32);
        }
    }

    pub(super) fn set_receives(&mut self, server: ServerId, receives: bool) {
        if self.servers[server.index()].receives != receives {
            self.servers[server.index()].receives = receives;
            self.tell(Fact::RoutingChanged { server, receives });
        }
        if receives {
            self.serve_backlog();
        }
    }

    fn services_stopped(&mut self, server: ServerId) {
        self.servers[server.index()].comes_back = false;
        if !self.servers[server.index()].ready {
            return;
        }
        self.tell(Fact::ServicesStopped { server });
        self.kill_all(server, Demise::Stopped);
        self.servers[server.index()].ready = false;
        self.servers[server.index()].takes_jobs = false;
        self.tell(Fact::ReadyChanged { server, ready: false });
    }

    fn powered_off(&mut self, server: ServerId) {
        if self.servers[server.index()].power == Power::Off {
            return;
        }
        self.thaw(server);
        self.services_stopped(server);
        self.servers[server.index()].power = Power::Off;
        self.give_back(server);
        self.tell(Fact::PowerChanged { server, on: false, commanded: true });
    }

    /// Whatever runs on the server ends here: requests get an error, jobs are gone.
    pub(super) fn kill_all(&mut self, server: ServerId, how: Demise) {
        let machine = &mut self.servers[server.index()];
        machine.cpu.clear(self.now);
        machine.pools.iter_mut().for_each(|pool| pool.accept_queue.clear());
        (machine.open, machine.jobs) = (0, 0);
        self.cpu_changed(server.index());
        if let Some(connections) = &mut self.connections {
            connections.close_all(server);
        }
        for slot in self.tasks.on_server(server.0) {
            self.kill(slot, server, how);
        }
        self.kill_flows(server);
        if server.is_primary() {
            self.interrupt_services();
        }
    }

    fn kill(&mut self, slot: u32, server: ServerId, how: Demise) {
        self.lose(slot, server, how);
        if self.awaits_event(slot) {
            self.tasks.get_mut(slot).server = u16::MAX;
        } else {
            self.tasks.remove(slot);
        }
    }

    /// Nobody works for this task any more: its client gets an error, a job is gone.
    pub(super) fn lose(&mut self, slot: u32, server: ServerId, how: Demise) {
        let task = *self.tasks.get(slot);
        let (job, broke) = (JobId(task.id), how == Demise::Broke);
        match task.kind {
            Kind::Job => {
                self.job_forgotten(task.class);
                self.tell(if broke {
                    Fact::JobFailed { job, server }
                } else {
                    Fact::JobKilled { job, server }
                });
            }
            Kind::Request => {
                let user = self.answer_with_error(
                    slot,
                    match how {
                        Demise::Stopped | Demise::Broke => FailureCause::Killed,
                        Demise::OutOfMemory => FailureCause::OutOfMemory,
                    },
                );
                if user != NONE {
                    self.answered(user, false);
                }
            }
            Kind::Abandoned => {
                self.tell(Fact::RequestAbandoned { request: RequestId(task.id), server });
            }
            Kind::Free => {}
        }
    }

    /// Work ends in the middle. The cores are free of it at once; a station finishes what it is at,
    /// and answers to nobody.
    pub(super) fn cut_short(&mut self, slot: u32, server: ServerId, how: Demise) {
        self.lose(slot, server, how);
        if self.awaits_event(slot) {
            self.tasks.get_mut(slot).server = u16::MAX;
        } else {
            self.servers[server.index()].cpu.remove(self.now, slot);
            self.cpu_changed(server.index());
            self.tasks.remove(slot);
        }
    }

    /// Whether an event still names the slot, so that it may not be used anew before.
    pub(super) fn awaits_event(&self, slot: u32) -> bool {
        let task = self.tasks.get(slot);
        if task.worker == CONNECTING {
            return true;
        }
        let phase = self.classes[usize::from(task.class)].phases.get(usize::from(task.phase));
        let taken_up = task.kind == Kind::Job || task.worker != NONE;
        let on_cores = |phase: &Phase| phase.place == Place::Cpu && self.flows.is_none();
        taken_up && phase.is_some_and(|phase| !on_cores(phase))
    }

    /// A plan is changed by hand: the primary goes down with all that runs on it, and nothing is
    /// measured until it is back.
    pub(super) fn resize(&mut self, index: usize) {
        self.services_stopped(ServerId::PRIMARY);
        self.servers[0].power = Power::Booting;
        let downtime = self.model.resizes[index].downtime.as_nanos().cast_unsigned();
        self.at(self.now + downtime, Event::Resized, index as u32);
    }

    /// A downtime is over. Where several overlap, the last to end brings the primary back, with the
    /// plan that was asked for last.
    pub(super) fn resized(&mut self, index: usize) {
        let (now, resizes) = (self.timestamp(self.now), &self.model.resizes);
        let begun = resizes.iter().filter(|resize| resize.at <= now);
        if begun.clone().any(|resize| resize.at + resize.downtime > now) {
            return;
        }
        let last = begun.max_by_key(|resize| resize.at).unwrap_or(&resizes[index]);
        self.model.servers[0] = last.to.clone();
        self.servers[0].come_up(self.now);
        self.services_started(ServerId::PRIMARY);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tidegate_core::{Observation, Span};

    use super::*;
    use crate::model::Model;
    use crate::scenario::{Overrides, parse};

    #[derive(Debug)]
    struct Ignore;

    impl FactSink for Ignore {
        fn fact(&mut self, _: tidegate_core::Timestamp, _: Fact) {}
    }

    fn model(resizes: &str) -> Model {
        let text = format!(
            r#"
start = "2026-03-02T00:00[UTC]"
duration = "1h"
plans.small = {{ vcpu = 2, memory = "4GiB", price = "125 USD/month" }}
plans.middle = {{ vcpu = 4, memory = "16GiB", price = "300 USD/month" }}
plans.big = {{ vcpu = 8, memory = "32GiB", price = "600 USD/month" }}
group = {{ primary = "small" }}
request = [{{ name = "page", phases = [{{ cpu = "100ms" }}] }}]
load = [{{ kind = "constant", rate = 10.0 }}]
resize = [{resizes}]
"#
        );
        parse("resize", "resize.toml", &text, Path::new("."), &Overrides::default()).unwrap()
    }

    const MINUTE: u64 = 60_000_000_000;

    #[test]
    fn a_primary_that_is_down_for_a_resize_is_not_measured() {
        let resize = r#"{ at = "2026-03-02T00:10[UTC]", plan = "middle", downtime = "5m" }"#;
        let mut world = World::new(model(resize), Span::from_mins(1), Ignore);
        let mut looks = [0, 0];
        while let Some(notice) = world.advance(60 * MINUTE - 1) {
            let Notice::Observed(Observation { servers, .. }) = notice else { continue };
            let known = [servers[0].cpu.is_some(), servers[0].health.is_some()];
            match world.now() / MINUTE {
                11..=14 => assert_eq!(known, [false; 2]),
                1..=9 | 16.. => assert_eq!(known, [true; 2]),
                _ => continue,
            }
            looks[usize::from(known[0])] += 1;
        }
        assert_eq!(looks, [16, 4 * (9 + 44)]);
    }

    #[test]
    fn of_overlapping_resizes_the_last_plan_holds_and_the_longest_downtime() {
        let mut world = World::new(
            model(
                r#"{ at = "2026-03-02T00:10[UTC]", plan = "middle", downtime = "9m" },
                   { at = "2026-03-02T00:12[UTC]", plan = "big", downtime = "3m" }"#,
            ),
            Span::from_mins(1),
            Ignore,
        );
        let up_at = |world: &mut World<Ignore>, minutes: u64| {
            while world.advance(minutes * MINUTE).is_some() {}
            (world.servers[0].ready, world.servers[0].cores)
        };
        assert_eq!(up_at(&mut world, 18), (false, 2));
        assert_eq!(up_at(&mut world, 20), (true, 8));
    }
}
