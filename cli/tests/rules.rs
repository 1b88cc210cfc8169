//! `tidegate rules` from the outside.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::path::Path;
use std::process::{Command, Output};

fn rules(arguments: &[&str]) -> Output {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.arg("rules").args(arguments).current_dir(docs).output().unwrap()
}

fn said(arguments: &[&str]) -> String {
    let output = rules(arguments);
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_rules_of_a_configuration_are_printed_for_prometheus_and_alertmanager() {
    let file = said(&["live-servers.toml"]);
    assert!(file.starts_with("# Made by `tidegate rules live-servers.toml`\n"), "{file}");
    for part in ["tidegate_group: school", "tidegate_condition: cpu > 75% for 5m", ") < 0.3\n"] {
        assert!(file.contains(part), "{part} in {file}");
    }
    let file = said(&["live-servers.toml", "--alertmanager"]);
    for part in ["url: http://127.0.0.1:7878/alerts", "repeat_interval: 5m", "=~\"school\""] {
        assert!(file.contains(part), "{part} in {file}");
    }
}

#[test]
fn what_has_no_rules_is_refused() {
    for (file, why) in [("live-demo.toml", "no group"), ("none.toml", "cannot be read")] {
        let refused = rules(&[file]);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains(why) && said.contains(file), "{said}");
    }
}
