//! Rules whose windows Prometheus keeps, from the load to the decision.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::path::Path;

use serde::Deserialize;
use tidegate_core::record::{Action, Summary};
use tidegate_core::{Input, RuleId, Span, Timestamp};
use tidegate_sim::model::Model;
use tidegate_sim::scenario::{Overrides, parse, read};

/// A line of the journal.
#[derive(Debug, Deserialize)]
struct Entry {
    at: Timestamp,
    input: Input,
}

fn run(model: &Model) -> (Summary, Vec<Entry>) {
    let mut bytes = Vec::new();
    let finished = tidegate_sim::run::run(model, &mut bytes, &mut |_| {}).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let entries = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (finished.record.summary, entries)
}

fn alerted(set: &[String]) -> Model {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/alerted.toml");
    read(&path, &Overrides { set: set.to_vec(), ..Overrides::default() }).unwrap()
}

/// Moments of the scale-ups.
fn ups(summary: &Summary) -> Vec<Timestamp> {
    let events = summary.scaling.events.iter();
    events.filter(|event| event.action == Action::ScaleUp).map(|event| event.at.at).collect()
}

/// When rule 1 was told to fire, and when this was notified.
fn told(entries: &[Entry]) -> Vec<(Timestamp, Timestamp)> {
    let observed = |entry: &Entry| {
        let Input::Observe(observation) = &entry.input else { return None };
        let alert = observation.alerts.first()?;
        (alert.rule == RuleId(0) && !alert.resolved).then_some((alert.since, entry.at))
    };
    entries.iter().filter_map(observed).collect()
}

/// The published numbers of Frappe Cloud, whenever the step comes, from whatever and however high.
#[test]
fn from_a_step_of_load_to_the_decision_it_takes_six_to_ten_minutes() {
    let mut took = Vec::new();
    for (before, step) in [(70, 30), (30, 64), (30, 200)] {
        for second in [0, 7, 22, 37, 52] {
            let set = [
                format!("load.1.from={}s", 1_200 + second),
                format!("load.0.rate={before}"),
                format!("load.1.rate={step}"),
                "load.2.rate=0".to_owned(),
                "group.standbys=1".to_owned(),
                "duration=45m".to_owned(),
            ];
            let model = alerted(&set);
            let begun = model.start + Span::from_secs(1_200 + second);
            took.push(ups(&run(&model).0)[0].since(begun));
        }
    }
    let between = |one: &Span| (Span::from_mins(6)..=Span::from_mins(10)).contains(one);
    assert!(took.iter().all(between), "{took:?}");
    let spread = *took.iter().max().unwrap() - *took.iter().min().unwrap();
    assert!(spread > Span::from_mins(1), "the height and the moment tell: {took:?}");
}

#[test]
fn an_alert_in_the_cool_down_counts_when_that_is_over() {
    let model = alerted(&[]);
    let (summary, entries) = run(&model);
    let ups = ups(&summary);
    let told = told(&entries);
    let (since, notified) = told[1];
    assert!(ups[0] < since && notified < ups[1], "it comes between the two: {told:?}");
    assert!(ups[1].since(notified) > Span::from_mins(2), "in the cool-down");
    assert_eq!(told.len(), 2, "and is not repeated before the third server is asked for");
    assert!(ups[1].since(notified) < Span::from_hours(1));
}

/// A burst that is over before it is notified, or is contradicted when it is, scales nothing.
#[test]
fn an_alert_that_the_metrics_contradict_scales_nothing() {
    let mut notified = Vec::new();
    for minutes in [6, 8, 10, 12] {
        let set = [
            format!("load.1.for={minutes}m"),
            "load.2.rate=0".to_owned(),
            "monitoring.alerts.delay=5m".to_owned(),
            "policy.evidence.alert_up=2h".to_owned(),
            "policy.evidence.alert_down=30m".to_owned(),
            "duration=2h".to_owned(),
        ];
        let (summary, entries) = run(&alerted(&set));
        notified.push(!told(&entries).is_empty());
        assert_eq!(ups(&summary), [], "{minutes} minutes");
        assert!(summary.properties.iter().all(|one| one.holds), "{:?}", summary.properties);
    }
    assert_eq!(notified, [false, true, true, true]);
}

/// What nobody notifies of does not happen, and the decision says so.
#[test]
fn without_notifications_nothing_scales() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/alerted.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let mut model =
        parse("alerted", "a.toml", &text, Path::new("."), &Overrides::default()).unwrap();
    model.alerts = None;
    let mut journal = Vec::new();
    let finished = tidegate_sim::run::run(&model, &mut journal, &mut |_| {}).unwrap();
    assert_eq!(finished.record.summary.scaling.events, []);
    assert!(String::from_utf8(journal).unwrap().contains("no-alert"));
}

/// Flows load the cores that Prometheus measures as requests do, on average.
#[test]
fn alerts_of_flows_come_when_those_of_requests_do() {
    let (requests, flows) = (run(&alerted(&[])), run(&alerted(&["fidelity=fluid".to_owned()])));
    assert_eq!(told(&requests.1).len(), told(&flows.1).len());
    let (requests, flows) = (ups(&requests.0), ups(&flows.0));
    assert_eq!(flows.len(), 2);
    for (one, other) in requests.iter().zip(&flows) {
        let apart = one.since(*other).as_nanos().unsigned_abs();
        assert!(apart <= 15_000_000_000, "{requests:?} against {flows:?}");
    }
}
