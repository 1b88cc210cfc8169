//! Fleets: the sum of their groups, one provider for all, the same on any number of threads.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod timeline;

use std::num::NonZeroUsize;
use std::path::Path;

use tidegate_core::record::Starts;
use tidegate_sim::fleet::FinishedFleet;
use tidegate_sim::model::Model;
use tidegate_sim::run::Finished;
use tidegate_sim::scenario::{Overrides, parse};

/// Groups whose schedule asks for a standby at 00:20, for half an hour.
fn model(more: &str) -> Model {
    let text = format!(
        r#"
start = "2026-03-02T00:00[UTC]"
duration = "2h"
{more}

[plans.s4]
vcpu = 2
memory = "4GiB"
price = "125 USD/month"

[plans.m16]
vcpu = 4
memory = "16GiB"
price = "300 USD/month"

[group]
primary = "s4"

[server]
boot = "30s"
services = "20s"

[[request]]
name = "page"
phases = [{{ cpu = {{ exponential = "80ms" }} }}, {{ database = {{ exponential = "5ms" }} }}]

[[load]]
kind = "curve"
points = [["0s", 2.0], ["1h", 16.0], ["2h", 2.0]]

[[policy.schedule]]
servers = 2
from = "2026-03-02T00:20[UTC]"
until = "2026-03-02T00:50[UTC]"

[policy.steps]
start = {{ deadline = "40m" }}
"#
    );
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    parse("fleet", "fleet.toml", &text, directory, &Overrides::default()).unwrap()
}

fn run(model: &Model, jobs: usize) -> FinishedFleet {
    let jobs = NonZeroUsize::new(jobs).unwrap();
    tidegate_sim::fleet::run(model, model.fleet.as_ref().unwrap(), jobs, &|_| {}).unwrap()
}

fn single(model: &Model) -> Finished {
    tidegate_sim::run::run(model, &mut std::io::sink(), &mut |_| {}).unwrap()
}

fn starts(fleet: &FinishedFleet) -> Starts {
    fleet.record.summary.fleet.unwrap().starts.unwrap()
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let limits = "provider = { machines = 9, start_every = \"20s\" }";
    for fidelity in ["request", "fluid"] {
        for provider in ["", limits] {
            let model = model(&format!(
                "fidelity = \"{fidelity}\"\n{provider}\n\
                 fleet = {{ groups = 12, scale = {{ mean = 1.0, cv = 0.7 }}, shift = \"40m\" }}"
            ));
            let (one, three) = (run(&model, 1), run(&model, 3));
            assert_eq!(one.record, three.record);
            assert_eq!(one.groups, three.groups);
            assert_eq!(one.groups.len(), 12);
        }
    }
}

#[test]
fn a_group_of_a_fleet_fares_as_it_does_alone() {
    let model = model("fleet = { groups = 3, scale = { mean = 1.0, cv = 0.5 } }");
    let (fleet, groups) = (run(&model, 2), model.fleet.as_ref().unwrap());
    let alone: Vec<_> = (0..3).map(|n| single(&groups.model_of(&model, n)).record).collect();
    for (row, alone) in fleet.groups.iter().zip(&alone) {
        let summary = &alone.summary;
        assert_eq!(row.arrived, summary.requests.arrived);
        assert_eq!((row.failed, row.ups), (summary.requests.failed, summary.scaling.ups));
        assert_eq!(row.cost, summary.billing.total);
        assert!(
            (row.p95_ms.unwrap() / summary.requests.latency_ms.p95.unwrap() - 1.0).abs() < 0.05
        );
    }
    let sum: u64 = alone.iter().map(|one| one.summary.requests.arrived).sum();
    assert_eq!(fleet.record.summary.requests.arrived, sum);
    let scales: Vec<f64> = fleet.groups.iter().map(|row| row.scale).collect();
    assert!(
        (scales[0] - scales[1]).abs() > 1e-3 && fleet.groups[0].arrived != fleet.groups[1].arrived
    );
}

/// Twenty ask at the same moment; two may start at once, then one each half minute.
#[test]
fn starts_wait_for_their_turn_at_the_provider() {
    let model = model(
        "fidelity = \"fluid\"\nfleet = { groups = 20 }\n\
         provider = { start_every = \"30s\", burst = 2 }",
    );
    let fleet = run(&model, 2);
    let Starts { asked, refused, mean_wait_s, longest_wait_s, most_machines } = starts(&fleet);
    assert_eq!((asked, refused, most_machines), (20, 0, 20));
    assert_eq!(longest_wait_s.to_bits(), (18.0 * 30.0_f64).to_bits());
    // 30, 60, … 540 s for eighteen of the twenty.
    assert_eq!(mean_wait_s.unwrap().to_bits(), (30.0 * 171.0 / 20.0_f64).to_bits());
    // Each is billed from its turn until its schedule has ended: 30 s less than the one before.
    let powered = |row: &tidegate_core::record::GroupRow| row.standby_seconds_powered;
    for pair in fleet.groups[1..].windows(2) {
        assert!((powered(&pair[0]) - powered(&pair[1]) - 30.0).abs() < 16.0, "{pair:?}");
    }
}

#[test]
fn a_machine_that_comes_back_is_given_to_the_next() {
    let model = model("fidelity = \"fluid\"\nfleet = { groups = 8 }\nprovider = { machines = 5 }");
    let fleet = run(&model, 2);
    let starts = starts(&fleet);
    assert_eq!(starts.most_machines, 5);
    assert!(starts.refused >= 3, "{starts:?}");
    let served = fleet.groups.iter().filter(|row| row.standby_seconds_powered > 0.0).count();
    assert_eq!(served, 5, "nobody gives back before the schedule of all has ended");
    assert!(fleet.groups.iter().all(|row| row.held), "{:?}", fleet.groups);
}

#[test]
fn groups_may_be_listed_with_their_plans_and_loads() {
    let list = "name,scale,shift,plan,standbys\nbig,3.0,,m16,2\nlate,1.0,45m,,\n,0.5,,,\n";
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("groups.csv"), list).unwrap();
    let model = model("fidelity = \"fluid\"\nfleet = { file = \"groups.csv\" }");
    let fleet = run(&model, 1);
    let names: Vec<&str> = fleet.groups.iter().map(|row| row.group.as_str()).collect();
    assert_eq!(names, ["big", "late", "group-3"]);
    let [big, late, small] = &fleet.groups[..] else { panic!("three groups") };
    assert_eq!((big.plan.as_str(), late.plan.as_str(), small.ups), ("m16", "s4", 1));
    assert!(big.arrived.abs_diff(3 * late.arrived) < 5 && big.arrived > 5 * small.arrived);
}

/// A single group may have a provider with limits too.
#[test]
fn one_group_is_refused_what_is_not_there() {
    let unlimited = single(&model("provider = { machines = 1 }")).record.summary;
    let none = single(&model("provider = { machines = 0 }")).record.summary;
    assert!(unlimited.billing.standby_seconds_powered > 1_800.0);
    assert!(none.billing.standby_seconds_powered.abs() < 1e-9 && none.scaling.failed > 0);
}
