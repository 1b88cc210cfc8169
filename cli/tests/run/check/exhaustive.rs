//! `tidegate check --exhaustive` and `--defects` on something small.

use super::{desk, json, keys, violated};
use crate::desk::SCENARIO;

#[test]
fn every_fault_at_every_step_is_a_table_of_which_each_cell_holds() {
    let desk = desk("exhaustive");
    let answer = desk.tidegate(&["check", "--exhaustive", "scenario.toml"]);
    assert_eq!(answer.code, Some(0), "{}\n{}", answer.complaint, answer.out);
    assert!(answer.out.starts_with("scenario: every cell holds, "), "{}", answer.out);
    for step in ["power-on", "join", "drain", "power-off", "fails always", "two controllers"] {
        assert!(answer.out.contains(step), "{step}: {}", answer.out);
    }
    assert!(!desk.directory.join("scenarios").exists());
}

#[test]
fn what_no_cell_survives_is_written_and_fails_in_the_same_way() {
    let desk = desk("exhaustive-fails");
    desk.put("broken.toml", &format!("defects = [\"routing-unchecked\"]\n{SCENARIO}"));
    let told = ["check", "--exhaustive", "broken.toml", "--regressions", "found"];
    let answer = desk.tidegate(&[&told[..], &["--format", "json"]].concat());
    assert_eq!(answer.code, Some(1), "{}\n{}", answer.complaint, answer.out);
    let all = json(&answer);
    assert_eq!(keys(&all), ["holds", "scenarios", "scenarios_not_tried"]);
    let scenario = &all["scenarios"][0];
    let expected = [
        "cells",
        "failures",
        "holds",
        "never_taken",
        "runs",
        "runs_wanted",
        "scenario",
        "violated_without",
    ];
    assert_eq!(keys(scenario), expected);
    assert_eq!(scenario["runs"], scenario["runs_wanted"]);
    let failure = &scenario["failures"][0];
    assert_eq!(keys(failure), ["command", "file", "property", "what"]);
    let again = desk.shell(&format!("{} --format json", failure["command"].as_str().unwrap()));
    assert_eq!(again.code, Some(1), "{}", again.complaint);
    assert!(violated(&json(&again)).contains(&failure["property"].as_str().unwrap()));
}

#[test]
fn a_defect_is_caught_by_its_owner_and_those_that_no_scenario_names_are_told() {
    let desk = desk("defects");
    let hazard = "hazard = { defects = [\"route-before-ready\"] }\n";
    desk.put("hazard.toml", &format!("{hazard}{SCENARIO}"));
    let text = desk.tidegate(&["check", "--defects", "hazard.toml"]);
    assert_eq!(text.code, Some(1), "{}", text.complaint);
    assert!(text.out.starts_with("1 of 40 defects are caught by "), "{}", text.out);
    assert!(text.out.contains("NOT TRIED: no scenario names it"), "{}", text.out);
    let all = json(&desk.tidegate(&["check", "--defects", "hazard.toml", "--format", "json"]));
    assert_eq!(keys(&all), ["defects", "ended_early", "holds"]);
    let caught: Vec<_> = all["defects"].as_array().unwrap().iter().collect();
    let right: Vec<_> = caught.iter().filter(|one| one["right"] == true).collect();
    assert_eq!(right.len(), 1);
    assert_eq!(
        (&right[0]["defect"], &right[0]["owner"]),
        (&"route-before-ready".into(), &"route-ready".into())
    );
    desk.put("small.toml", right[0]["scenario"].as_str().unwrap());
    let again = desk.tidegate(&["run", "small.toml", "--format", "json"]);
    assert_eq!(again.code, Some(1), "{}", again.complaint);
    assert!(violated(&json(&again)).contains(&"route-ready"));
}
