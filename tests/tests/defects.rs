//! Defects planted in a running system, one at a time: each is caught by the property that owns it.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::path::Path;

use tidegate_core::billing::Meter;
use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::oracle::{Closing, Panel};
use tidegate_core::{Command, CommandKind, Controller, Input, ServerId, Span, TimeZone, Timestamp};
use tidegate_sim::model::Model;
use tidegate_sim::scenario::{Overrides, parse};
use tidegate_sim::world::{Notice, World};

/// A standby that serves for ten minutes by the calendar, with work on it at every moment, and
/// later a burst that is shorter than the rule's window.
const SCENARIO: &str = r#"
start = "2026-03-02T10:00[UTC]"
duration = "40m"
plans.m = { vcpu = 4, memory = "16GiB", price = "300 USD/month" }
group = { primary = "m" }
bench = [{ name = "b", workers = 120 }]
server = { services_stop = "0s" }
policy.schedule = [{ servers = 2, from = "2026-03-02T10:10[UTC]", until = "2026-03-02T10:20[UTC]" }]
policy.up = [{ metric = "cpu", above = "70%" }]
policy.down = [{ metric = "cpu", below = "30%" }]

[[request]]
name = "page"
phases = [{ cpu = "30ms" }, { wait = "400ms" }]
enqueues = { job = "mail", share = "2%" }

[[job]]
name = "mail"
queue = "default"
phases = [{ wait = { mean = "20s", cv = 0.5 } }]

[[load]]
kind = "constant"
rate = 60.0

[[load]]
kind = "constant"
rate = 50.0
from = "30m"
for = "3m"
"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    None,
    /// The proxy is told while the services still start.
    RouteBeforeReady,
    /// The server is stopped as soon as it is to be drained.
    SkipTheDrain,
    /// The services are stopped with the jobs that run.
    KillTheWorkers,
    /// An answer gets lost on its way.
    LoseAnAnswer,
    /// A worker that finished a job hands it to another one.
    WorkTwice,
    /// The standby is billed though it is stopped.
    BillTheStandby,
    /// Billing ends when the stop is asked for, not when it is done.
    BillTheIntention,
    /// The rule fires after one minute instead of five.
    HurryTheWindow,
}

struct Sinks {
    defect: Defect,
    panel: Panel,
    meter: Meter,
    served: u64,
}

impl FactSink for Sinks {
    fn fact(&mut self, at: Timestamp, fact: Fact) {
        self.served += u64::from(matches!(fact, Fact::RequestServed { .. }));
        match (self.defect, fact) {
            (Defect::LoseAnAnswer, Fact::RequestServed { .. }) if self.served == 1_000 => return,
            (Defect::WorkTwice, Fact::JobCompleted { .. }) if self.served > 1_000 => {
                self.panel.fact(at, fact);
            }
            (Defect::BillTheStandby, Fact::PowerChanged { server, on: false, .. })
                if !server.is_primary() =>
            {
                return self.panel.fact(at, fact);
            }
            (Defect::BillTheIntention, Fact::ServicesStopped { server }) => {
                let off = Fact::PowerChanged { server, on: false, commanded: true };
                self.meter.fact(at, off);
            }
            _ => {}
        }
        self.panel.fact(at, fact);
        self.meter.fact(at, fact);
    }
}

/// The commands that are carried out in place of `command`.
fn planted(defect: Defect, command: Command) -> Vec<Command> {
    let kind = match (defect, command.kind) {
        (Defect::RouteBeforeReady, CommandKind::StartServices) => {
            CommandKind::Join { weight: 4, slow_start: Span::ZERO }
        }
        (Defect::SkipTheDrain, CommandKind::Drain)
        | (Defect::KillTheWorkers, CommandKind::QuiesceJobs) => CommandKind::StopServices,
        _ => return vec![command],
    };
    vec![Command { kind, ..command }, command]
}

/// Runs the scenario with `defect` planted; the properties that were violated.
fn violated(defect: Defect) -> Vec<&'static str> {
    let mut model = parse("d", "d.toml", SCENARIO, Path::new("."), &Overrides::default()).unwrap();
    let panel = Panel::new(model.servers.len(), &model.group.policy);
    if defect == Defect::HurryTheWindow {
        model.group.policy.up[0].window = Span::from_mins(1);
    }
    let plans = model.servers.iter().map(|server| (server.plan.clone(), server.pricing));
    let meter = Meter::new(plans, TimeZone::UTC);
    let sinks = Sinks { defect, panel, meter, served: 0 };
    judge(&model, run(&model, sinks))
}

fn run(model: &Model, sinks: Sinks) -> World<Sinks> {
    let defect = sinks.defect;
    let mut world = World::new(model.clone(), Span::from_mins(1), sinks);
    let mut controller = Controller::new(model.group.clone(), model.start);
    let end = model.duration.as_nanos().cast_unsigned();
    world.set_moving(true);
    loop {
        let input = match world.advance(end) {
            Some(Notice::Observed(observation)) => Input::Observe(observation),
            Some(Notice::Completed { id, outcome, .. }) => Input::Complete { id, outcome },
            Some(Notice::Asked(request)) => Input::Request(request),
            Some(Notice::Interval | Notice::Fault { .. }) => continue,
            None => return world,
        };
        let now = world.timestamp(world.now());
        let step = controller.step(now, input);
        world.sink.panel.step(now, &step);
        for command in step.commands {
            for command in planted(defect, command) {
                world.execute(command);
            }
        }
    }
}

fn judge(model: &Model, mut world: World<Sinks>) -> Vec<&'static str> {
    let (in_flight, jobs_pending) = (world.in_flight(), world.jobs_pending());
    let (ages, work) = (world.ages(), world.work());
    let end = model.start + model.duration;
    let Sinks { panel, meter, .. } = world.sink;
    let ledger = meter.into_ledger(end);
    assert!(ledger.iter().any(|line| line.server == ServerId(1)), "the standby never ran");
    let closing = Closing {
        end,
        in_flight,
        ages,
        answer_delay: model.proxy.latency,
        jobs_pending,
        work: &work,
        ledger: &ledger,
    };
    let (verdicts, _) = panel.close(&closing);
    verdicts.into_iter().filter(|one| !one.holds()).map(|one| one.property).collect()
}

#[test]
fn a_sound_system_violates_nothing() {
    assert!(violated(Defect::None).is_empty(), "{:?}", violated(Defect::None));
}

#[test]
fn each_defect_is_caught_by_the_property_that_owns_it() {
    for (defect, property) in [
        (Defect::RouteBeforeReady, "route-ready"),
        (Defect::SkipTheDrain, "drain-clean"),
        (Defect::SkipTheDrain, "no-failed-request"),
        (Defect::KillTheWorkers, "jobs-exactly-once"),
        (Defect::LoseAnAnswer, "conservation"),
        (Defect::WorkTwice, "jobs-exactly-once"),
        (Defect::BillTheStandby, "billing-exact"),
        (Defect::BillTheIntention, "billing-exact"),
        (Defect::HurryTheWindow, "only-when-required"),
    ] {
        let found = violated(defect);
        assert!(found.contains(&property), "{defect:?} should violate {property}: {found:?}");
    }
}
