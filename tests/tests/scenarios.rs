//! The shipped scenarios do what their comments say, the same way each time.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::path::{Path, PathBuf};

use tidegate_core::record::RunRecord;
use tidegate_sim::model::Model;
use tidegate_sim::scenario::{Overrides, parse, read};

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn model(name: &str, set: &[&str]) -> Model {
    let set = set.iter().map(ToString::to_string).collect();
    let overrides = Overrides { set, ..Overrides::default() };
    read(&scenarios().join(name), &overrides).unwrap()
}

fn run(model: &Model) -> (RunRecord, Vec<u8>) {
    let mut journal = Vec::new();
    let finished = tidegate_sim::run::run(model, &mut journal, &mut |_| {}).unwrap();
    (finished.record, journal)
}

#[test]
fn every_shipped_scenario_holds() {
    let mut seen = 0;
    for entry in std::fs::read_dir(scenarios()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let (record, _) = run(&read(&path, &Overrides::default()).unwrap());
        let summary = &record.summary;
        assert!(summary.properties.iter().all(|property| property.holds), "{summary:#?}");
        assert!(summary.expectations.iter().all(|one| one.holds), "{summary:#?}");
        seen += 1;
    }
    assert!(seen >= 3, "only {seen} scenarios found");
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let model = model("exam-day.toml", &[]);
    let (first, second) = (run(&model), run(&model));
    assert_eq!(first, second);
    let (other, _) = run(&Model { seed: 2, ..model });
    assert_ne!(first.0.summary.fingerprint, other.summary.fingerprint);
}

/// Optimization must not change a byte: tests and the README's command build differently.
#[test]
fn the_fingerprint_of_the_main_scenario_is_known() {
    let (record, _) = run(&model("short-burst.toml", &[]));
    assert_eq!(record.summary.fingerprint, "e2cccfbe7737c4c107daa32dba8462f2");
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
    let model = read(&scenarios().join("trace-replay.toml"), &overrides).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    let (record, _) = run(&model);
    assert_eq!(model.duration.to_string(), "10m");
    assert_eq!(record.summary.requests.arrived, 100);
}

/// M/M/1: the mean wait is ρ ÷ (1 − ρ) service times (Erlang), here at 70 %: 2.3333.
#[test]
fn one_server_agrees_with_theory_within_a_confidence_interval_over_seeds() {
    let text = r#"
start = "2026-01-01T00:00[UTC]"
duration = "2h"
plans.one = { vcpu = 1, memory = "4GiB", price = "10 USD/month" }
group = { primary = "one", standbys = 0 }
bench = [{ name = "one", workers = 1, accept_queue = 1000000 }]
request = [{ name = "one", phases = [{ wait = { exponential = "100ms" } }] }]
load = [{ kind = "constant", rate = 7.0 }]
proxy = { latency = "0s", timeout = "10h" }
"#;
    let parsed = parse("mm1", "mm1.toml", text, Path::new("."), &Overrides::default()).unwrap();
    let means: Vec<f64> = (1..=20)
        .map(|seed| {
            let (record, _) = run(&Model { seed, ..parsed.clone() });
            record.summary.requests.wait_ms.mean.unwrap() / 100.0
        })
        .collect();
    let count = means.len() as f64;
    let mean = means.iter().sum::<f64>() / count;
    let variance = means.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (count - 1.0);
    // Student's t for 19 degrees of freedom at 99.9 %, two-sided.
    let half_width = 3.883 * (variance / count).sqrt();
    assert!((mean - 7.0 / 3.0).abs() < half_width, "{mean} ± {half_width}");
    assert!(half_width < 0.35, "the interval says too little: ± {half_width}");
}
