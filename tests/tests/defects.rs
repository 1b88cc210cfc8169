//! The catalogue of planted defects: each is caught by the property that owns it, in a scenario
//! that shrinks to less than sixty lines.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

use tidegate_core::Defect;
use tidegate_sim::check::{Base, Caught, defects};
use tidegate_tests::shipped::{folder, scenarios, summary};

/// Those of the real system's hazards, and those made for the others.
fn bases() -> Vec<Base> {
    let paths = [scenarios("hazards"), scenarios("defects")].concat();
    paths.iter().map(|path| Base::read(path).unwrap()).collect()
}

#[test]
fn each_defect_is_caught_by_its_owner_and_its_scenario_is_short() {
    let all = defects(&bases(), 1, NonZeroUsize::new(2).unwrap(), &AtomicBool::new(false), &|_| {});
    assert_eq!(all.len(), Defect::ALL.len());
    let wrong: Vec<_> = all
        .iter()
        .filter(|one| !one.is_right() || one.lines().is_none_or(|lines| lines >= 60))
        .map(|one| (one.defect.name(), one.runs, &one.properties, &one.without, one.lines()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn a_shrunk_scenario_fails_in_the_same_way_and_holds_without_the_defect() {
    let all = defects(&bases(), 2, NonZeroUsize::new(2).unwrap(), &AtomicBool::new(false), &|_| {});
    for Caught { defect, shrunk, .. } in all {
        let mut case = shrunk.unwrap().case;
        let failures = case.run().failures;
        let caught = failures.iter().any(|one| one.property == defect.owner());
        assert!(caught, "{}: {failures:?}\n{}", defect.name(), case.text);
        case.text = case.text.replace(&format!("[\"{}\"]", defect.name()), "[]");
        let owned = |one: &tidegate_sim::check::Failure| one.property == defect.owner();
        assert!(!case.run().failures.iter().any(owned), "{}\n{}", defect.name(), case.text);
    }
}

#[test]
fn each_property_owns_a_defect() {
    let model = Base::read(&folder().join("report-jobs.toml")).unwrap().model;
    for property in &summary(&model).properties {
        let owns = Defect::ALL.into_iter().any(|defect| defect.owner() == property.name);
        assert!(owns, "nothing violates {}", property.name);
    }
}
