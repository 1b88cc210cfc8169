//! The shipped scenarios do what their comments say, the same way each time.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::num::NonZeroUsize;

use tidegate_core::Span;
use tidegate_core::lifecycle::Stage;
use tidegate_core::record::{RunRecord, StageSpan, Summary};
use tidegate_sim::model::Model;
use tidegate_sim::scenario::{Overrides, read};
use tidegate_tests::shipped::{folder, scenarios};

fn model(name: &str, set: &[&str]) -> Model {
    let set = set.iter().map(ToString::to_string).collect();
    let overrides = Overrides { set, ..Overrides::default() };
    read(&folder().join(name), &overrides).unwrap()
}

fn run(model: &Model) -> (RunRecord, Vec<u8>) {
    let mut journal = Vec::new();
    let finished = tidegate_sim::run::run(model, &mut journal, &mut |_| {}).unwrap();
    (finished.record, journal)
}

#[test]
fn every_shipped_scenario_holds() {
    let mut seen = 0;
    for path in [scenarios(""), scenarios("staging")].concat() {
        let model = read(&path, &Overrides::default()).unwrap();
        let record = match &model.fleet {
            Some(fleet) => {
                let two = NonZeroUsize::new(2).unwrap();
                tidegate_sim::fleet::run(&model, fleet, two, &|_| {}).unwrap().record
            }
            None => run(&model).0,
        };
        let summary = &record.summary;
        let sound = summary.properties.iter().all(|one| one.holds || is_meant(summary, &one.name));
        assert!(sound && summary.expectations.iter().all(|one| one.holds), "{summary:#?}");
        seen += 1;
    }
    assert!(seen >= 8, "only {seen} scenarios found");
}

/// Whether the scenario expects that the property is violated.
fn is_meant(summary: &Summary, property: &str) -> bool {
    let path = format!("properties.{property}.holds");
    summary.expectations.iter().any(|one| one.name == path && one.expected == "== false")
}

fn failed(set: &[&str]) -> u64 {
    run(&model("flash-sale.toml", set)).0.summary.requests.failed
}

/// The peak is 150 a second and one server can do 75: the lead time loses some, no standby half.
#[test]
fn flash_sale_loses_its_lead_time_and_scaling_saves_the_rest() {
    let (with, without) = (failed(&[]), failed(&["group.standbys=0"]));
    assert!(with > 0 && with * 5 < without, "{with} failed with standbys, {without} without");
}

#[test]
fn flash_sale_with_a_small_database_is_not_cured_by_application_servers() {
    let small = |standbys| failed(&["database.servers=1", &format!("group.standbys={standbys}")]);
    let (one, two, four_times) = (small(1), small(2), failed(&[]) * 4);
    assert!(one > four_times && two > four_times, "{one} and {two}, at most {four_times} wanted");
}

#[test]
fn business_hours_bills_the_standby_on_five_days_and_beats_both_baselines() {
    let (record, _) = run(&model("business-hours.toml", &[]));
    let standby: Vec<_> = record.ledger.iter().filter(|one| !one.server.is_primary()).collect();
    assert_eq!(standby.len(), 5);
    for pair in standby.windows(2) {
        assert_eq!(pair[1].from.since(pair[0].from), Span::from_hours(24));
    }
    let total = record.summary.billing.total;
    assert_eq!(record.baselines.len(), 2);
    assert!(record.baselines.iter().all(|one| total < one.total), "{total}");
}

/// The reports wait for eight minutes at least; the window closes two minutes after their start.
#[test]
fn report_jobs_end_on_the_standby_after_its_drain_began() {
    let (record, _) = run(&model("report-jobs.toml", &[]));
    let quiescing = stage(&record, Stage::Quiescing);
    assert!(quiescing.to.since(quiescing.from) > Span::from_mins(1), "{quiescing:?}");
    let line = record.ledger.iter().find(|line| !line.server.is_primary()).unwrap();
    assert!(line.to > quiescing.to);
    assert_eq!(record.summary.jobs.lost + record.summary.jobs.duplicated, 0);
}

/// The only stretch that the first standby was in `stage`.
fn stage(record: &RunRecord, stage: Stage) -> StageSpan {
    let mut found = record.stages.iter().filter(|span| span.stage == stage);
    let one = *found.next().unwrap();
    assert!(found.next().is_none(), "{stage:?} comes twice");
    one
}

#[test]
fn slow_boot_gives_starts_up_and_tries_again_within_the_window() {
    let (record, _) = run(&model("slow-boot.toml", &[]));
    let standby: Vec<_> = record.stages.iter().filter(|span| !span.server.is_primary()).collect();
    let retried = standby.windows(4).filter(|spans| {
        let stages = [0, 1, 2, 3].map(|index| spans[index].stage);
        let again = [Stage::Starting, Stage::Stopping, Stage::Faulted, Stage::Starting];
        stages == again && spans[3].from.since(spans[0].from) < Span::from_mins(45)
    });
    assert!(retried.count() >= 1, "{standby:#?}");
    let given_up = standby.windows(2).filter(|pair| pair[1].stage == Stage::Faulted).count() as u64;
    assert!(given_up > 0 && record.summary.scaling.failed == given_up, "{given_up}");
    assert!(standby.iter().any(|span| span.stage == Stage::Serving));
}

#[test]
fn plan_upgrade_is_billed_at_the_bigger_plan_to_the_end() {
    let (record, _) = run(&model("plan-upgrade.toml", &[]));
    let plans: Vec<_> = record.ledger.iter().map(|line| (line.plan.as_str(), line.to)).collect();
    let resized = record.start + Span::from_hours(11);
    assert_eq!(plans, [("s8", resized), ("m16", record.end)]);
}

#[test]
fn plan_upgrade_costs_more_than_prepared_capacity_which_fails_nothing() {
    let (upgraded, _) = run(&model("plan-upgrade.toml", &[]));
    let (prepared, _) = run(&model("plan-upgrade.toml", &["resize=[]", "group.standbys=1"]));
    assert!(prepared.summary.properties.iter().all(|property| property.holds));
    assert!(prepared.summary.billing.total < upgraded.summary.billing.total);
    assert_eq!(prepared.summary.requests.failed_by_scaling, 0);
    assert_eq!(prepared.summary.requests.arrived, upgraded.summary.requests.arrived);
}

#[test]
fn trace_replay_brings_the_shipped_day_and_scales_for_its_evening() {
    let (record, _) = run(&model("trace-replay.toml", &[]));
    let trace = std::fs::read_to_string(folder().join("traces/evening-peak.csv")).unwrap();
    let counts = trace.lines().skip(1).map(|line| line.split_once(',').unwrap().1);
    let total: u64 = counts.map(|count| count.parse::<u64>().unwrap()).sum();
    assert_eq!(record.summary.requests.arrived, total);
    assert_eq!(record.summary.requests.failed, 0);
    assert!(record.summary.scaling.ups >= 1 && record.summary.scaling.downs >= 1);
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let model = model("exam-day.toml", &[]);
    let (first, second) = (run(&model), run(&model));
    assert_eq!(first, second);
    let (other, _) = run(&Model { seed: 2, ..model });
    assert_ne!(first.0.summary.fingerprint, other.summary.fingerprint);
}

#[test]
fn another_policy_moves_no_open_arrival() {
    let arrivals = |set: &[&str]| {
        let (record, _) = run(&model("short-burst.toml", set));
        let rows = record.timeline.rows;
        rows.iter().map(|row| row.arrived).collect::<Vec<_>>()
    };
    assert_eq!(arrivals(&[]), arrivals(&["policy.up.0.above=40%", "policy.up.0.for=1m"]));
}

#[test]
fn a_window_that_the_burst_fills_does_scale_and_is_required() {
    let (record, _) = run(&model("short-burst.toml", &["policy.up.0.for=1m"]));
    assert_eq!(record.summary.scaling.ups, 1);
    let required = record.summary.properties.iter().find(|one| one.name == "only-when-required");
    assert!(required.is_some_and(|property| property.holds && property.checked == 1));
}

#[test]
fn a_trace_with_exact_counts_brings_each_of_its_requests() {
    let directory = std::env::temp_dir().join(format!("tidegate-trace-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("trace.csv");
    std::fs::write(
        &path,
        "timestamp,requests_per_5min\n2026-01-01 00:00:00,94\n2026-01-01 00:05:00,6\n",
    )
    .unwrap();
    let overrides = Overrides { load: Some(path), ..Overrides::default() };
    let model = read(&folder().join("trace-replay.toml"), &overrides).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    let (record, _) = run(&model);
    assert_eq!(model.duration.to_string(), "10m");
    assert_eq!(record.summary.requests.arrived, 100);
}
