//! Defects planted in a running system, one at a time: each is caught by the property that owns it.
//! Those of the real system's hazards are planted by `hazards.rs` too.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::path::Path;

use tidegate_core::{Defect, Defects};
use tidegate_sim::model::Model;
use tidegate_sim::scenario::{Overrides, parse, read};

/// A group that always has requests, files and jobs to work on, and a burst of three minutes.
const GROUP: &str = r#"
start = "2026-03-02T10:00[UTC]"
duration = "1h 30m"
plans.m = { vcpu = 2, memory = "8GiB", price = "150 USD/month" }
group = { primary = "m" }

[[request]]
name = "page"
phases = [{ cpu = "40ms" }, { nfs = { read = "4KiB" } }, { nfs = { write = "4KiB" } }, { wait = "400ms" }]
enqueues = { job = "mail", share = "5%" }

[[job]]
name = "mail"
queue = "default"
phases = [{ wait = { mean = "20s", cv = 0.5 } }]

[[load]]
kind = "constant"
rate = 6.0

[[load]]
kind = "constant"
rate = 36.0
from = "50m"
for = "3m"
"#;

/// Windows in which the standby serves, from and to these minutes.
fn windows<const N: usize>(minutes: [(u32, u32); N]) -> Vec<String> {
    let clock = |minute: u32| format!("2026-03-02T{}:{:02}[UTC]", 10 + minute / 60, minute % 60);
    let window = |(from, until)| {
        let (from, until) = (clock(from), clock(until));
        format!("{{ servers = 2, from = \"{from}\", until = \"{until}\" }}")
    };
    vec![format!("policy.schedule=[{}]", minutes.map(window).join(", "))]
}

fn window_and<const N: usize>(minutes: (u32, u32), more: [&str; N]) -> Vec<String> {
    windows([minutes]).into_iter().chain(more.map(str::to_owned)).collect()
}

/// What the group needs for a defect to show; nothing where a hazard shows it.
fn provocation(defect: Defect) -> Option<Vec<String>> {
    let fault = |minutes, text: &str| Some(window_and(minutes, [&format!("fault=[{text}]")]));
    match defect {
        Defect::RouteBeforeReady
        | Defect::SkipTheDrain
        | Defect::SkipTheQuiesce
        | Defect::WorkTwice
        | Defect::DiskPerServer
        | Defect::BillTheStandby
        | Defect::RoundedPrice
        | Defect::LoseAnAnswer
        | Defect::WrongLatency
        | Defect::LoseWork => Some(windows([(10, 30)])),
        Defect::ActBeforeStore => {
            let dies = r#"{ kind = "controller-killed", step = "stop-services", nth = 1, point = "before", for = "8m" }"#;
            let mut sets = windows([(10, 20), (25, 50)]);
            sets.push("policy.stabilization.down=0s".to_owned());
            sets.push(format!("fault=[{dies}]"));
            Some(sets)
        }
        Defect::KillOverdue => Some(window_and(
            (10, 30),
            ["policy.steps.quiesce={ deadline = \"10s\" }", "job.0.phases.0.wait=3m"],
        )),
        Defect::StartTwice => Some(window_and(
            (10, 30),
            [
                "server.services=20s",
                "policy.steps.warm={ deadline = \"1m\" }",
                "fault=[{ kind = \"answer-lost\", step = \"start-services\", nth = 1 }]",
            ],
        )),
        Defect::NoWindow => Some(rules("70%", "30%", &[])),
        Defect::NoProjection => Some(rules(
            "70%",
            "45%",
            &["request.0.phases.0.cpu=400ms", "load.0.rate=4", "load.1.rate=0.01"],
        )),
        Defect::RetryUnderNewId => Some(window_and(
            (10, 80),
            ["server.boot=6m", "policy.steps.start={ deadline = \"5m\", attempts = 5 }"],
        )),
        Defect::StayFaulted => fault(
            (10, 80),
            r#"{ kind = "command-fails", step = "power-on", nth = 1, attempts = 3 }"#,
        ),
        Defect::RoutingUnchecked => fault((10, 60), r#"{ kind = "proxy-restarts", at = "15m" }"#),
        Defect::DeathUnnoticed => fault((10, 60), r#"{ kind = "server-dies", at = "15m" }"#),
        Defect::UnfinishedForgotten => {
            fault((10, 60), r#"{ kind = "controller-killed", step = "power-on", nth = 1 }"#)
        }
        Defect::StrayLeftOn => {
            fault((10, 30), r#"{ kind = "change-lost", step = "power-off", nth = 1 }"#)
        }
        Defect::NoFenceByGeneration => {
            Some(window_and((10, 12), ["server.boot=6m", "policy.stabilization.down=0s"]))
        }
        Defect::NoFenceByTerm => {
            let cut_off = r#"fault=[{ kind = "second-controller", at = "11m", for = "10m" }]"#;
            Some(window_and((12, 40), ["server.boot=45s", cut_off]))
        }
        Defect::PingIsHealth
        | Defect::LaunchedIsReady
        | Defect::StopBeforeDrain
        | Defect::RestartServing
        | Defect::ReloadCutsRequests
        | Defect::ForcedKill
        | Defect::RedisPerServer
        | Defect::BillTheIntention
        | Defect::BillPreBooked
        | Defect::ResolvedIgnored
        | Defect::OrOnScaleDown
        | Defect::MissingAsZero
        | Defect::LostSchedule
        | Defect::SerialHost
        | Defect::WaitForJobs
        | Defect::WaitForever
        | Defect::NoRollBack => None,
    }
}

fn rules(above: &str, below: &str, more: &[&str]) -> Vec<String> {
    let rules = [
        format!("policy.up=[{{ metric = \"cpu\", above = \"{above}\" }}]"),
        format!("policy.down=[{{ metric = \"cpu\", below = \"{below}\" }}]"),
    ];
    rules.into_iter().chain(more.iter().map(ToString::to_string)).collect()
}

/// The hazard that shows a defect.
fn hazard(defect: Defect) -> Model {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/hazards");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut models = paths.map(|path| read(&path, &Overrides::default()).unwrap());
    let shows = |model: &Model| {
        let hazard = model.hazard.filter(|one| one.violates == defect.owner());
        hazard.is_some_and(|one| one.defects.has(defect))
    };
    models.find(shows).unwrap_or_else(|| panic!("no hazard shows {}", defect.name()))
}

fn model(defect: Defect) -> Model {
    let Some(set) = provocation(defect) else { return hazard(defect) };
    let overrides = Overrides { set, ..Overrides::default() };
    parse("defect", "defect.toml", GROUP, Path::new("."), &overrides).unwrap()
}

fn violated(model: &Model) -> Vec<String> {
    let finished = tidegate_sim::run::run(model, &mut std::io::sink(), &mut |_| {}).unwrap();
    let properties = finished.record.summary.properties.into_iter();
    properties.filter(|one| !one.holds).map(|one| one.name).collect()
}

/// What is wrong with how a defect is caught, if anything is.
fn miscaught(defect: Defect) -> Option<String> {
    let mut model = model(defect);
    let without = violated(&model);
    model.group.defects = Defects::NONE.with(defect);
    let with = violated(&model);
    let caught = with.iter().any(|one| one == defect.owner());
    let name = defect.name();
    (!caught || !without.is_empty()).then(|| format!("{name}: {with:?}, without it {without:?}"))
}

#[test]
fn each_defect_is_caught_by_the_property_that_owns_it_and_nothing_is_violated_without_it() {
    let wrong: Vec<_> = Defect::ALL.into_iter().filter_map(miscaught).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn each_property_owns_a_defect() {
    let finished = {
        let model = model(Defect::DiskPerServer);
        tidegate_sim::run::run(&model, &mut std::io::sink(), &mut |_| {}).unwrap()
    };
    for property in &finished.record.summary.properties {
        let owns = Defect::ALL.into_iter().any(|defect| defect.owner() == property.name);
        assert!(owns, "nothing violates {}", property.name);
    }
}
