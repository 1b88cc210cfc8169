//! Alerting rules that mean what the policy means, as Prometheus' own tool finds.

use std::process::Command;

use tidegate_driver::config::Config;
use tidegate_driver::rules::{alertmanager_file, rule_file};

use crate::alerts::config::config;
use crate::support::Folder;

/// A minute each, from 0: two servers of the group, and a stranger who is measured as well.
const TEST: &str = r#"
rule_files: [rules.yml]
evaluation_interval: 15s
tests:
- interval: 1m
  input_series:
  - {series: 'cpu{server="one"}', values: '0.8x6 0.7 0.8x20'}
  - {series: 'cpu{server="two"}', values: '0.72x30'}
  - {series: 'cpu{server="stranger"}', values: '0.1x30'}
  - {series: 'serving{server="one"}', values: '1x30'}
  - {series: 'serving{server="two"}', values: '1x30'}
  alert_rule_test:
  - {eval_time: 4m45s, alertname: TidegateScaleUp, exp_alerts: []}
  - eval_time: 5m
    alertname: TidegateScaleUp
    exp_alerts:
    - exp_labels:
        severity: info
        tidegate_group: school {{1}}
        tidegate_rule: "0"
        tidegate_condition: cpu > 75% for 5m
      exp_annotations:
        summary: "school {{1}}: mean CPU is above 75% for 5m"
        description: >-
          The serving servers of school {{1}} use 76% of their CPU in the mean.
          This asks for one server more.
  - {eval_time: 7m, alertname: TidegateScaleUp, exp_alerts: []}
"#;

/// One of two servers is not to be counted from a moment on, for a reason of its own each time: the
/// proxy does not send it requests, its value is no number, its last sample is old.
const LEFT_OUT: [(&str, &str, &str); 3] = [
    ("0.9x30", "1x4 stale", "15m"),
    ("0.9x4 NaN NaN NaN NaN NaN NaN NaN NaN NaN NaN NaN", "1x30", "15m"),
    ("0.9x4", "1x30", "16m"),
];

fn of_one(cpu: &str, serving: &str, fires: &str) -> String {
    let before = fires.replace('m', "m45s").replace("15", "14").replace("16", "15");
    format!(
        r#"
- interval: 1m
  input_series:
  - {{series: 'cpu{{server="one"}}', values: '0.25x30'}}
  - {{series: 'cpu{{server="two"}}', values: '{cpu}'}}
  - {{series: 'serving{{server="one"}}', values: '1x30'}}
  - {{series: 'serving{{server="two"}}', values: '{serving}'}}
  alert_rule_test:
  - {{eval_time: {before}, alertname: TidegateScaleDown, exp_alerts: []}}
  - eval_time: {fires}
    alertname: TidegateScaleDown
    exp_alerts:
    - exp_labels:
        severity: info
        tidegate_group: school {{{{1}}}}
        tidegate_rule: "1"
        tidegate_condition: cpu < 30% for 10m
      exp_annotations:
        summary: "school {{{{1}}}}: mean CPU is below 30% for 10m"
        description: >-
          The serving servers of school {{{{1}}}} use 25% of their CPU in the mean.
          This allows one server less.
"#
    )
}

fn promtool(folder: &Folder, arguments: &[&str]) {
    let mut command = Command::new("promtool");
    let output = command.args(arguments).current_dir(folder.path("")).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

fn parsed(text: &str) -> Config {
    Config::parse(text).unwrap_or_else(|why| panic!("{why:?}"))
}

#[test]
fn an_alert_fires_when_the_rule_of_the_policy_does() {
    let text = config("http://127.0.0.1:9090", "token").replace("\"school\"", "\"school {{1}}\"");
    let serving = "[group.ports.alertmanager]\nserving = \"serving == 1\"\n";
    let text = text.replace("[group.ports.alertmanager]\n", serving);
    let folder = Folder::new();
    folder.write("rules.yml", &rule_file(&parsed(&text)).unwrap());
    let left_out = LEFT_OUT.map(|(cpu, serving, fires)| of_one(cpu, serving, fires));
    folder.write("test.yml", &format!("{TEST}{}", left_out.concat()));
    promtool(&folder, &["check", "rules", "rules.yml"]);
    promtool(&folder, &["test", "rules", "test.yml"]);
}

#[test]
fn rules_and_receiver_of_names_that_are_hard_to_write_are_read_as_they_are() {
    let text = config("http://127.0.0.1:9090", "token")
        .replace("\"one\"", r#""a\"b\\c$1 # é""#)
        .replace("\"school\"", r#""a: \"b\" {{c}}|.*\n#""#)
        .replace("value = \"cpu\"", "value = \"cpu # a comment\"");
    let folder = Folder::new();
    folder.write("rules.yml", &rule_file(&parsed(&text)).unwrap());
    promtool(&folder, &["check", "rules", "rules.yml"]);
    let file = alertmanager_file(&parsed(&text)).unwrap();
    let file = file.replace("route:\n", "route:\n  receiver: tidegate\n");
    let file = folder.write("alertmanager.yml", &file);
    let checked = Command::new("amtool").arg("check-config").arg(file).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn what_cannot_be_written_is_told() {
    let text = config("http://127.0.0.1:9090", "token").replace("\"server\"", "\"a b\"");
    let why = rule_file(&parsed(&text)).unwrap_err().to_string();
    assert!(why.starts_with("`a b` of group `school` is not the name of a label"), "{why}");
    let fake = parsed("[[group]]\nname = \"a\"\nports = { kind = \"fake\" }\n");
    assert!(rule_file(&fake).is_err() && alertmanager_file(&fake).is_err());
}
