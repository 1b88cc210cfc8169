//! `tidegate check`: drawn runs hold, every step survives every fault, and what fails is shrunk
//! into a file that fails in the same way.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use tidegate_sim::check::{
    Base, Bounds, Case, Effort, Swarm, exhaustive, regression, shrink, swarm,
};
use tidegate_sim::scenario::{Overrides, read};
use tidegate_tests::shipped::{folder, scenarios, summary, violated};

const THREADS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

fn base(name: &str) -> Base {
    Base::read(&folder().join(name)).unwrap()
}

/// `cargo xtask test` takes it from the commit; the same each time where nobody says.
fn seed() -> u64 {
    let given = std::env::var("TIDEGATE_CHECK_SEED").ok();
    given.map_or(1, |text| text.parse().expect("TIDEGATE_CHECK_SEED is a whole number"))
}

#[test]
fn drawn_runs_of_the_shipped_scenarios_hold() {
    let bases: Vec<_> = scenarios("").iter().map(|path| Base::read(path).unwrap()).collect();
    let (bounds, stop) = (Bounds::default(), AtomicBool::new(false));
    let all = Swarm {
        bases: &bases,
        bounds: &bounds,
        seed: seed(),
        runs: 400,
        jobs: THREADS,
        stop: &stop,
    };
    let swept = swarm(&all, &|_| true);
    assert!(swept.failed.is_empty(), "seed {}: {:#?}", seed(), swept.failed);
    assert!(swept.tally.faults.len() > 20, "{:?}", swept.tally);
}

#[test]
fn every_step_survives_every_fault() {
    for name in ["exam-day.toml", "report-jobs.toml", "alerted.toml"] {
        let table = exhaustive(&base(name), THREADS, &AtomicBool::new(false), &|_, _| {}).unwrap();
        assert!(table.holds(), "{name}: {:#?}", table.failing);
        assert!(table.tried() > 300 && table.calm.is_empty(), "{name}: {}", table.tried());
    }
}

#[test]
fn the_real_systems_sequence_does_not_survive_every_fault() {
    let table =
        exhaustive(&base("hazards/frappe-beta.toml"), THREADS, &AtomicBool::new(false), &|_, _| {})
            .unwrap();
    let failing: Vec<_> = table.failing.iter().map(|(_, one)| one.property.as_str()).collect();
    for property in ["demand-met", "standby-restored"] {
        assert!(failing.contains(&property), "{failing:?}");
    }
}

#[test]
fn what_was_found_before_does_not_come_back() {
    let paths = scenarios("regressions");
    assert!(!paths.is_empty());
    for path in paths {
        let model = read(&path, &Overrides::default()).unwrap();
        let summary = summary(&model);
        let violated = violated(&summary);
        assert!(violated.is_empty(), "{}: {violated:?}", path.display());
    }
}

#[test]
fn a_failure_is_shrunk_into_a_short_file_that_fails_in_the_same_way() {
    let base = base("report-jobs.toml");
    let text = format!("defects = [\"skip-the-quiesce\"]\n{}", base.text);
    let Base { name, file, directory, .. } = base;
    let case = Case { name, file, text, directory };
    let failures = case.run().failures;
    let failure = failures.iter().find(|one| one.property == "drain-clean").unwrap();
    let shrunk = shrink(&case, failure, Effort { runs: 400, stop: &AtomicBool::new(false) });
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let written = regression(&shrunk, folder, "tidegate check");
    assert!(written.lines().count() < 60, "{written}");
    assert!(written.starts_with("# drain-clean: "), "{written}");
    let path = folder.join("shrunk.toml");
    std::fs::write(&path, &written).unwrap();
    let model = read(&path, &Overrides::default()).unwrap();
    assert!(violated(&summary(&model)).contains(&"drain-clean"), "{written}");
}

#[test]
fn bounds_are_kept() {
    let bounds = Bounds { faults: [0, 0], standbys: [2, 2], operator: 0, ..Bounds::default() };
    let base = base("exam-day.toml");
    for number in 0..20 {
        let model = tidegate_sim::check::draw(&base, &bounds, 3, number).model().unwrap();
        assert_eq!((model.faults.len(), model.servers.len()), (0, 3));
        assert!(model.operator.is_empty());
    }
}
