//! What `tidegate check` refuses.

use super::{check, desk};
use crate::desk::{Answer, Desk};

fn refused(desk: &Desk, answer: &Answer, words: &[&str]) {
    assert_eq!((answer.code, answer.out.as_str()), (Some(2), ""), "{}", answer.complaint);
    let said = answer.complaint.split_whitespace().filter(|word| *word != "│");
    let said = said.collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(said.contains(word), "{word}: {}", answer.complaint);
    }
    assert!(!answer.complaint.contains("panicked"), "{}", answer.complaint);
    assert!(!desk.directory.join("scenarios").exists());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let desk = desk("senseless");
    let cases: [(&[&str], &str); 9] = [
        (&["--runs", "0"], "'0' for '--runs <N>': 0 is not in 1.."),
        (&["--runs", "-1"], "'-1'"),
        (&["--runs", "many"], "'many' for '--runs <N>'"),
        (&["--jobs", "0"], "'0' for '--jobs <J>'"),
        (&["--time-limit", "0"], "'0' for '--time-limit <SECONDS>': 0 is not in 1.."),
        (&["--draw", "first"], "'first' for '--draw <RUN>'"),
        (&["--exhaustive", "--runs", "3"], "'--exhaustive' cannot be used with '--runs <N>'"),
        (&["--defects", "--exhaustive"], "cannot be used with"),
        (&["--format", "xml"], "[possible values: text, json]"),
    ];
    for (arguments, words) in cases {
        let answer = desk.tidegate(&[&["check", "scenario.toml"], arguments].concat());
        refused(&desk, &answer, &[words]);
    }
    refused(&desk, &desk.tidegate(&["check"]), &["<SCENARIO>..."]);
}

#[test]
fn a_scenario_that_is_none_is_refused_with_its_place_before_anything_runs() {
    let desk = desk("no-scenario");
    refused(&desk, &check(&desk, &["nowhere.toml"]), &["nowhere.toml", "No such file"]);
    desk.put("bad.toml", "title = 7\n");
    let answer = check(&desk, &["scenario.toml", "bad.toml"]);
    refused(&desk, &answer, &["bad.toml:1:9"]);
}

#[test]
fn bounds_that_are_none_are_refused_with_their_place() {
    let desk = desk("bad-bounds");
    let cases = [
        ("load = [", "2:9", "load"),
        ("lode = [1.0, 2.0]", "2:1", "did you mean `load`?"),
        ("load = [2.0, 1.0]", "2:8", "`load` needs two factors, the least first"),
        ("standbys = [1, 65]", "2:12", "two numbers up to 64"),
        ("faults = [3, 2]", "2:10", "the fewest first"),
        ("kinds = [\"server-dyes\"]", "2:10", "did you mean `server-dies`?"),
        ("kinds = []", "2:9", "set `faults` to [0, 0]"),
        ("lasting = [\"1m\", \"2d\"]", "2:11", "two lengths up to 1d"),
        ("quiet = 1.0", "2:9", "below 1"),
        ("requests = 0", "2:12", "more than zero"),
        ("requests = -1", "2:12", "write a whole number"),
    ];
    for (text, place, words) in cases {
        desk.put("bounds.toml", &format!("# bounds\n{text}\n"));
        let answer = check(&desk, &["scenario.toml"]);
        refused(&desk, &answer, &[&format!("bounds.toml:{place}"), words]);
    }
    let answer = desk.tidegate(&["check", "scenario.toml", "--bounds", "nowhere.toml"]);
    refused(&desk, &answer, &["nowhere.toml", "No such file"]);
}

#[test]
fn a_folder_for_failures_that_cannot_be_made_is_refused_with_its_name() {
    let desk = desk("no-folder");
    desk.put("taken", "a file");
    let arguments = ["broken.toml", "--runs", "1", "--regressions", "taken/here"];
    let answer = check(&desk, &arguments);
    refused(&desk, &answer, &["taken/here/route-ready-1-0.toml cannot be written"]);
}
