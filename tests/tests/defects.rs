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
phases = [
    { cpu = "40ms" },
    { nfs = { read = "4KiB" } },
    { nfs = { write = "4KiB" } },
    { wait = "400ms" },
]
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

/// What the group needs for a defect to show: minutes in which a schedule has the standby serve,
/// and other values. Those that are not listed are shown by a hazard.
type Provocation = (&'static [Defect], &'static [(u32, u32)], &'static [&'static str]);

const PROVOCATIONS: [Provocation; 14] = [
    (
        &[
            Defect::RouteBeforeReady,
            Defect::SkipTheDrain,
            Defect::SkipTheQuiesce,
            Defect::WorkTwice,
            Defect::DiskPerServer,
            Defect::BillTheStandby,
            Defect::RoundedPrice,
            Defect::LoseAnAnswer,
            Defect::WrongLatency,
            Defect::LoseWork,
        ],
        &[(10, 30)],
        &[],
    ),
    (
        &[Defect::KillOverdue],
        &[(10, 30)],
        &[r#"policy.steps.quiesce={ deadline = "10s" }"#, "job.0.phases.0.wait=3m"],
    ),
    (
        &[Defect::NoWindow],
        &[],
        &[
            r#"policy.up=[{ metric = "cpu", above = "70%" }]"#,
            r#"policy.down=[{ metric = "cpu", below = "30%" }]"#,
        ],
    ),
    (
        &[Defect::NoProjection],
        &[],
        &[
            r#"policy.up=[{ metric = "cpu", above = "70%" }]"#,
            r#"policy.down=[{ metric = "cpu", below = "45%" }]"#,
            "request.0.phases.0.cpu=400ms",
            "load.0.rate=4",
            "load.1.rate=0.01",
        ],
    ),
    (
        &[Defect::RetryUnderNewId],
        &[(10, 80)],
        &["server.boot=7m", r#"policy.steps.start={ deadline = "5m", attempts = 5 }"#],
    ),
    (
        &[Defect::NoFenceByGeneration],
        &[(10, 12)],
        &["server.boot=6m", "policy.stabilization.down=0s"],
    ),
    (
        &[Defect::NoFenceByTerm],
        &[(12, 40)],
        &["server.boot=45s", r#"fault=[{ kind = "second-controller", at = "11m", for = "10m" }]"#],
    ),
    (
        &[Defect::StartTwice],
        &[(10, 30)],
        &[
            "server.services=20s",
            r#"policy.steps.warm={ deadline = "1m" }"#,
            r#"fault=[{ kind = "answer-lost", step = "start-services", nth = 1 }]"#,
        ],
    ),
    (
        &[Defect::ActBeforeStore],
        &[(10, 20), (25, 50)],
        &[
            "policy.stabilization.down=0s",
            r#"fault=[{ kind = "controller-killed", step = "stop-services", nth = 1 }]"#,
            "fault.0.for=8m",
            "fault.0.point=before",
        ],
    ),
    (
        &[Defect::StayFaulted],
        &[(10, 80)],
        &[r#"fault=[{ kind = "command-fails", step = "power-on", nth = 1, attempts = 3 }]"#],
    ),
    (
        &[Defect::RoutingUnchecked],
        &[(10, 60)],
        &[r#"fault=[{ kind = "proxy-restarts", at = "15m" }]"#],
    ),
    (&[Defect::DeathUnnoticed], &[(10, 60)], &[r#"fault=[{ kind = "server-dies", at = "15m" }]"#]),
    (
        &[Defect::UnfinishedForgotten],
        &[(10, 60)],
        &[r#"fault=[{ kind = "controller-killed", step = "power-on", nth = 1 }]"#],
    ),
    (
        &[Defect::StrayLeftOn],
        &[(10, 30)],
        &[r#"fault=[{ kind = "change-lost", step = "power-off", nth = 1 }]"#],
    ),
];

fn windows(minutes: &[(u32, u32)]) -> String {
    let clock = |minute: u32| format!("2026-03-02T{}:{:02}[UTC]", 10 + minute / 60, minute % 60);
    let window = |(from, until): &(u32, u32)| {
        let (from, until) = (clock(*from), clock(*until));
        format!("{{ servers = 2, from = \"{from}\", until = \"{until}\" }}")
    };
    let windows: Vec<_> = minutes.iter().map(window).collect();
    format!("policy.schedule=[{}]", windows.join(", "))
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
    let provoked = PROVOCATIONS.iter().find(|(defects, ..)| defects.contains(&defect));
    let Some((_, minutes, more)) = provoked else { return hazard(defect) };
    let set = [windows(minutes)].into_iter().chain(more.iter().map(ToString::to_string)).collect();
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
