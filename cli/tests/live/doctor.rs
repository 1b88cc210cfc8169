//! `tidegate doctor` from the outside.

use std::fs;

use crate::{CONFIG, Desk};

#[test]
fn a_group_that_could_be_scaled_is_told_so() {
    let desk = Desk::new("doctor");
    let (code, said) = desk.program(&["doctor", "live.toml"]);
    assert_eq!(code, Some(0), "{said}");
    for line in ["all groups\n", "demo\n", "tidegate.db is not there yet", "standby-1 is off"] {
        assert!(said.contains(line), "{line} in {said}");
    }
    assert!(!said.contains("MISSING") && !desk.0.join("tidegate.db").exists(), "{said}");
    let (code, said) =
        desk.program(&["doctor", "live.toml", "--group", "demo", "--format", "json"]);
    assert_eq!(code, Some(0), "{said}");
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["sections"][1]["group"], "demo");
    assert_eq!(json["sections"][1]["findings"][0]["verdict"], "ok");
}

#[test]
fn what_a_live_host_left_is_read_and_not_changed() {
    let desk = Desk::new("doctor-store");
    let mut live = desk.start(&[]);
    live.until("command 2 done");
    // What it asks is answered while the host goes on.
    let (code, said) = desk.program(&["doctor", "live.toml"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("what is kept of the group can be taken up"), "{said}");
    assert_eq!(live.stop(), Some(0));
    let more = CONFIG.replace("name = \"demo\"", "name = \"demo\"\nstandby_weight = 3");
    fs::write(desk.0.join("live.toml"), more).unwrap();
    let (code, said) = desk.program(&["doctor", "live.toml"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("MISSING store") && said.contains("stored with weights"), "{said}");
}

#[test]
fn bad_input_is_refused() {
    let desk = Desk::new("doctor-refused");
    let (code, said) = desk.program(&["doctor", "live.toml", "--group", "x"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no group `x`"), "{said}");
    let (code, said) = desk.program(&["doctor", "none.toml"]);
    assert_eq!(code, Some(2), "{said}");
    fs::write(desk.0.join("text"), "no database ".repeat(100)).unwrap();
    let (code, said) = desk.program(&["doctor", "live.toml", "--store", "text"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("text cannot be read"), "{said}");
}
