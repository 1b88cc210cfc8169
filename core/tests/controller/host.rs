//! A scripted host: it carries out commands at the next tick, and records them.

use tidegate_core::decision::{Decision, Veto};
use tidegate_core::lifecycle::Stage;
use tidegate_core::policy::{DownRule, Evidence, EvidenceFrom, Metric, Missing, Policy, UpRule};
use tidegate_core::{
    Alert, Command, CommandKind, Controller, Dated, Defects, Failure, GroupConfig, Health, Input,
    Observation, OperatorRequest, Outcome, Power, Ratio, ServerId, ServerView, Span, Step,
    Timestamp,
};

/// Time between two ticks.
pub const TICK: Span = Span::from_secs(10);

/// More steps than a test needs; one that takes more waits for what does not come.
const STEPS: usize = 50_000;

/// What a machine would show.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    pub power: Power,
    /// What the provider says, if it is not the truth.
    pub told: Option<Power>,
    /// Whether the proxy routes to it, if that is looked at.
    pub routed: Option<bool>,
    pub health: Health,
    pub in_flight: u32,
    pub jobs: u32,
    /// Percent, if it is measured.
    pub cpu: Option<u32>,
    pub memory: Option<u32>,
}

/// A step, and the stage that server 1 was in before and after it.
pub struct Taken {
    pub at: Timestamp,
    pub before: Stage,
    pub after: Stage,
    /// Its input said that a command was done.
    pub completes: bool,
    pub decision: Decision,
}

pub struct Host {
    pub controller: Controller,
    pub now: Timestamp,
    /// By how much the controller's clock is behind. What is seen of the world bears its own time.
    pub behind: Span,
    pub machines: Vec<Machine>,
    /// Every command that was issued, repetitions included.
    pub issued: Vec<Command>,
    /// Commands of these names fail, or are never answered.
    pub fails: Vec<&'static str>,
    pub hangs: Vec<&'static str>,
    pub last: Option<Step>,
    pub taken: Vec<Taken>,
    /// The term of the host.
    pub term: u32,
    pending: Vec<Command>,
}

/// A rule pair on CPU: more above 75 %, less below 30 %, each for five minutes.
pub fn policy() -> Policy {
    Policy { up: vec![up(Metric::Cpu, 75)], down: vec![down(Metric::Cpu, 30)], ..Policy::default() }
}

/// The same, with the windows kept by Prometheus.
pub fn listening() -> Policy {
    let evidence = Evidence { from: EvidenceFrom::Alerts, ..Evidence::default() };
    Policy { evidence, ..policy() }
}

pub fn up(metric: Metric, percent: u32) -> UpRule {
    let (above, window) = (Ratio::from_percent(percent), Span::from_mins(5));
    UpRule { metric, above, window, missing: Missing::Reset }
}

pub fn down(metric: Metric, percent: u32) -> DownRule {
    let (below, window) = (Ratio::from_percent(percent), Span::from_mins(5));
    DownRule { metric, below, window, missing: Missing::Reset }
}

impl Host {
    pub fn new(policy: Policy, standbys: u16) -> Self {
        let now = "2026-03-02T00:00:00Z".parse::<jiff::Timestamp>().unwrap();
        let now = Timestamp::from_jiff(now).unwrap();
        policy.check(standbys).unwrap();
        let config = GroupConfig {
            standbys,
            primary_weight: 1,
            standby_weight: 1,
            policy,
            defects: Defects::NONE,
        };
        let off = Machine {
            power: Power::Off,
            told: None,
            routed: None,
            health: Health::NONE,
            in_flight: 0,
            jobs: 0,
            cpu: None,
            memory: None,
        };
        let mut machines = vec![off; usize::from(standbys) + 1];
        machines[0] = Machine { power: Power::On, health: Health::ALL, ..off };
        Self {
            controller: Controller::new(config, now),
            now,
            behind: Span::ZERO,
            machines,
            issued: Vec::new(),
            fails: Vec::new(),
            hangs: Vec::new(),
            last: None,
            taken: Vec::new(),
            term: 0,
            pending: Vec::new(),
        }
    }

    /// The time on the controller's clock.
    pub fn clock(&self) -> Timestamp {
        self.now - self.behind
    }

    pub fn stage(&self, server: u16) -> Stage {
        self.controller.stage(ServerId(server))
    }

    pub fn decision(&self) -> Decision {
        self.last.as_ref().unwrap().decision
    }

    pub fn objects(&self, test: impl Fn(&Veto) -> bool) -> bool {
        self.decision().vetoes().any(test)
    }

    /// The commands issued so far, by name.
    pub fn names(&self) -> Vec<&'static str> {
        self.issued.iter().map(|command| command.kind.step().name()).collect()
    }

    pub fn step(&mut self, input: Input) {
        let completes = matches!(input, Input::Complete { outcome: Outcome::Done, .. });
        let (at, before) = (self.clock(), self.stage(1));
        let step = self.controller.step(at, input);
        let (after, decision) = (self.stage(1), step.decision);
        self.taken.push(Taken { at, before, after, completes, decision });
        self.issued.extend(&step.commands);
        self.pending.extend(&step.commands);
        self.last = Some(step);
    }

    pub fn ask(&mut self, request: OperatorRequest) {
        self.step(Input::Request(request));
    }

    /// Another host takes the controller over, from what is stored of it.
    pub fn take_over(&mut self) {
        self.term += 1;
        self.step(Input::TakeOver { term: self.term });
    }

    /// A notification arrives, and nothing else is seen.
    pub fn notify(&mut self, alert: Alert) {
        self.step(Input::Observe(Observation { alerts: vec![alert], ..Observation::default() }));
    }

    /// A tick with this CPU use on every server that serves.
    pub fn tick(&mut self, cpu: u32) {
        for (index, machine) in self.machines.iter_mut().enumerate() {
            let serves = self.controller.stage(ServerId(index as u16)) == Stage::Serving;
            machine.cpu = serves.then_some(cpu);
        }
        self.tick_as_it_is();
    }

    /// Time passes, what was commanded ends, and the world is seen.
    pub fn tick_as_it_is(&mut self) {
        assert!(self.taken.len() < STEPS, "{:?}", self.decision());
        self.now = self.now + TICK;
        for command in std::mem::take(&mut self.pending) {
            let name = command.kind.step().name();
            if self.hangs.contains(&name) {
                continue;
            }
            let failed = self.fails.contains(&name);
            if !failed {
                self.carry_out(command);
            }
            let outcome = if failed { Outcome::Failed(Failure::Refused) } else { Outcome::Done };
            self.step(Input::Complete { id: command.id, outcome });
        }
        self.step(Input::Observe(self.observation()));
    }

    /// Ticks for `length` at this CPU use.
    pub fn pass(&mut self, length: Span, cpu: u32) {
        let end = self.now + length;
        while self.now < end {
            self.tick(cpu);
        }
    }

    /// Ticks until server 1 is in `stage`; fails after an hour.
    pub fn reach(&mut self, stage: Stage, cpu: u32) {
        let end = self.now + Span::from_hours(1);
        while self.stage(1) != stage {
            assert!(self.now < end, "server 1 is {:?}: {:?}", self.stage(1), self.decision());
            self.tick(cpu);
        }
    }

    fn carry_out(&mut self, command: Command) {
        let machine = &mut self.machines[command.server.index()];
        match command.kind {
            CommandKind::PowerOn => machine.power = Power::On,
            CommandKind::StartServices => machine.health = Health::ALL,
            CommandKind::StopServices => machine.health = Health::NONE,
            CommandKind::PowerOff => {
                (machine.power, machine.health) = (Power::Off, Health::NONE);
            }
            CommandKind::Join { .. } => machine.routed = machine.routed.map(|_| true),
            CommandKind::Drain => machine.routed = machine.routed.map(|_| false),
            CommandKind::QuiesceJobs | CommandKind::ResumeJobs => {}
        }
    }

    pub fn observation(&self) -> Observation {
        let view = |(index, machine): (usize, &Machine)| {
            let mut view = ServerView::unknown(ServerId(index as u16));
            view.power = Some(Dated::new(machine.told.unwrap_or(machine.power), self.now));
            view.routed = machine.routed.map(|routed| Dated::new(routed, self.now));
            if machine.power == Power::On {
                let percent = |percent| Dated::new(Ratio::from_percent(percent), self.now);
                view.health = Some(Dated::new(machine.health, self.now));
                view.in_flight = Some(Dated::new(machine.in_flight, self.now));
                view.jobs = Some(Dated::new(machine.jobs, self.now));
                view.cpu = machine.cpu.map(percent);
                view.memory = machine.memory.map(percent);
            }
            view
        };
        let servers = self.machines.iter().enumerate().map(view).collect();
        Observation { servers, ..Observation::default() }
    }
}
