//! Facts that a journal holds: what was ordered and done, what was seen of the servers.
//!
//! A moment that nobody saw is the earliest that it can have been: a server that is found broken
//! broke when it was last found well, or when it joined, which nobody orders for one that is not.

use std::collections::BTreeMap;

use crate::command::{Command, CommandKind, Outcome};
use crate::controller::{Controller, Input, Step};
use crate::fact::Fact;
use crate::ids::{CommandId, ServerId};
use crate::lifecycle::Stage;
use crate::observation::{Dated, Health, Observation, Ratio, ServerView};
use crate::time::Timestamp;

/// What is known of a server.
#[derive(Clone, Copy, Debug)]
struct Known {
    ready: bool,
    receives: bool,
    /// What it must have to be ready: nothing if no command wants it to be; all once its services
    /// are started; but no job workers once they were told to take nothing more, for no request
    /// misses those, and they are back only some time after they are resumed.
    needs: Health,
    /// When it was last found well.
    well: Timestamp,
    /// When the proxy last answered a command about it.
    told: Timestamp,
    cpu: Option<Dated<Ratio>>,
    memory: Option<Dated<Ratio>>,
}

/// The facts of a journal, as it is stepped through.
#[derive(Clone, Debug)]
pub(super) struct Derived {
    facts: Vec<(Timestamp, Fact)>,
    servers: Vec<Known>,
    /// Every command, since one comes again under its id.
    given: BTreeMap<CommandId, Command>,
    /// Every order about a machine, in the order of time.
    power: Vec<(Timestamp, ServerId, bool)>,
}

impl Derived {
    /// From `start` on, where the controller is as it is and all is well.
    pub fn new(controller: &Controller, start: Timestamp) -> Self {
        let servers = || (0..=controller.config().standbys).map(ServerId);
        let known = |server| {
            let stage = controller.stage(server);
            let needs = needs(stage);
            Known {
                ready: needs != Health::NONE && stage != Stage::Warming,
                receives: stage == Stage::Serving,
                needs,
                well: start,
                told: start,
                cpu: None,
                memory: None,
            }
        };
        let mut derived = Self {
            facts: Vec::new(),
            servers: servers().map(known).collect(),
            given: BTreeMap::new(),
            power: Vec::new(),
        };
        for server in servers() {
            let Known { ready, receives, needs, .. } = derived.servers[server.index()];
            let on = Fact::PowerChanged { server, on: true, commanded: true };
            let all = [
                (needs != Health::NONE, on),
                (ready, Fact::ReadyChanged { server, ready }),
                (receives, Fact::RoutingChanged { server, receives }),
            ];
            let is_so = all.into_iter().filter_map(|(is, fact)| is.then_some((start, fact)));
            derived.facts.extend(is_so);
        }
        derived
    }

    /// The controller is as it is after `step`, which followed from `input` at `at`.
    pub fn step(&mut self, at: Timestamp, input: &Input, step: &Step, controller: &Controller) {
        match input {
            Input::Observe(seen) => self.observed(at, seen, controller),
            Input::Complete { id, outcome: Outcome::Done } => self.done(at, *id),
            Input::TakeOver { term } => self.tell(at, Fact::TookOver { term: *term }),
            Input::Complete { .. } | Input::Request(_) | Input::Wake => {}
        }
        for command in &step.commands {
            if self.given.insert(command.id, *command).is_none() {
                self.ordered(at, command);
            }
        }
    }

    /// All of them, and whether a change of power that a provider tells was ordered.
    pub fn into_facts(self) -> (Vec<(Timestamp, Fact)>, Orders) {
        (self.facts, Orders(self.power))
    }

    fn tell(&mut self, at: Timestamp, fact: Fact) {
        self.facts.push((at, fact));
    }

    fn ordered(&mut self, at: Timestamp, command: &Command) {
        let server = command.server;
        let known = &mut self.servers[server.index()];
        match command.kind {
            CommandKind::PowerOn => self.power.push((at, server, true)),
            CommandKind::StartServices => known.needs = Health::ALL,
            CommandKind::QuiesceJobs => known.needs = known.needs.without(Health::WORKERS),
            CommandKind::StopServices | CommandKind::PowerOff => {
                known.needs = Health::NONE;
                if known.ready {
                    known.ready = false;
                    self.tell(at, Fact::ReadyChanged { server, ready: false });
                }
                let is_power = command.kind == CommandKind::PowerOff;
                if is_power {
                    self.power.push((at, server, false));
                } else {
                    self.tell(at, Fact::ServicesStopped { server });
                }
            }
            CommandKind::Join { .. } | CommandKind::Drain | CommandKind::ResumeJobs => {}
        }
    }

    fn done(&mut self, at: Timestamp, id: CommandId) {
        let Some(command) = self.given.get(&id).copied() else { return };
        let Command { server, generation, kind, .. } = command;
        self.tell(at, Fact::CommandApplied { server, generation });
        let receives = matches!(kind, CommandKind::Join { .. });
        if receives || kind == CommandKind::Drain {
            self.servers[server.index()].told = at;
            self.routed(at, server, receives);
        }
    }

    fn routed(&mut self, at: Timestamp, server: ServerId, receives: bool) {
        let known = &mut self.servers[server.index()];
        if known.receives != receives {
            known.receives = receives;
            self.tell(at, Fact::RoutingChanged { server, receives });
        }
    }

    fn observed(&mut self, at: Timestamp, seen: &Observation, controller: &Controller) {
        for view in &seen.servers {
            let Some(known) = self.servers.get_mut(view.server.index()) else { continue };
            known.cpu = view.cpu.or(known.cpu);
            known.memory = view.memory.or(known.memory);
            let told = known.told;
            if let Some(routed) = view.routed.filter(|routed| routed.at > told) {
                self.routed(routed.at, view.server, routed.value);
            }
            self.health(view);
        }
        // An alert that comes by itself tells nothing of the samples.
        if seen.servers.iter().any(|view| view.cpu.is_some() || view.memory.is_some()) {
            self.sampled(at, controller);
        }
    }

    fn health(&mut self, view: &ServerView) {
        let server = view.server;
        let known = &mut self.servers[server.index()];
        let Some(health) = view.health.filter(|_| known.needs != Health::NONE) else { return };
        let ready = health.value.has(known.needs);
        let was = known.ready;
        let broke = if known.receives { known.well.max(known.told) } else { known.well };
        known.ready = ready;
        if ready {
            known.well = health.at;
        }
        if was && !ready {
            self.tell(broke, Fact::Broke { server });
        }
        if was != ready {
            self.tell(health.at, Fact::ReadyChanged { server, ready });
        }
    }

    /// Means over all serving servers, if something fresh is known of each.
    fn sampled(&mut self, at: Timestamp, controller: &Controller) {
        let stale_after = controller.config().policy.evidence.stale_after;
        let fresh =
            |value: Option<Dated<Ratio>>| value.filter(|value| value.age(at) <= stale_after);
        let (mut cpu, mut memory, mut count, mut taken) = (0, 0, 0, at);
        for (server, known) in (0..).map(ServerId).zip(&self.servers) {
            if controller.stage(server) != Stage::Serving {
                continue;
            }
            let (Some(own_cpu), Some(own_memory)) = (fresh(known.cpu), fresh(known.memory)) else {
                return;
            };
            cpu += u128::from(own_cpu.value.ppm());
            memory += u128::from(own_memory.value.ppm());
            count += 1_000_000;
            taken = taken.min(own_cpu.at).min(own_memory.at);
        }
        let mean = |sum| Ratio::of(sum, count);
        self.tell(at, Fact::Sampled { cpu: mean(cpu), memory: mean(memory), taken });
    }
}

/// What a server in this stage must have to be ready. Where it is anything, its machine is on.
const fn needs(stage: Stage) -> Health {
    match stage {
        Stage::Warming | Stage::Joining | Stage::Serving | Stage::Draining => Health::ALL,
        Stage::Quiescing => Health::ALL.without(Health::WORKERS),
        Stage::Standby | Stage::Starting | Stage::Stopping | Stage::Faulted => Health::NONE,
    }
}

/// What machines were ordered to do.
#[derive(Clone, Debug)]
pub(super) struct Orders(Vec<(Timestamp, ServerId, bool)>);

impl Orders {
    /// Whether a machine that went on or off at `at` had been ordered to.
    pub fn wanted(&self, at: Timestamp, server: ServerId, on: bool) -> bool {
        let before = self.0.iter().rev().find(|(when, whose, _)| *when <= at && *whose == server);
        before.is_some_and(|(.., wanted)| *wanted == on)
    }
}
