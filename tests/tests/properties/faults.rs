//! A fault that never begins changes nothing.

use proptest::prelude::*;
use proptest::sample::select;
use tidegate_core::record::{RunRecord, Summary};

use crate::{config, record};

/// Faults of every sort, without what begins them.
const KINDS: [&str; 24] = [
    "kind = \"boot-fails\"",
    "kind = \"boot-slow\"",
    "kind = \"out-of-capacity\"",
    "kind = \"provider-slow\"",
    "kind = \"wrong-power\"",
    "kind = \"command-lost\"",
    "kind = \"answer-twice\"",
    "kind = \"command-late\"",
    "kind = \"check-flaps\"",
    "kind = \"check-lies-ill\"",
    "kind = \"proxy-restarts\"",
    "kind = \"scrapes-missing\"",
    "kind = \"metrics-late\"",
    "kind = \"clock-skew\"",
    "kind = \"monitoring-down\"",
    "kind = \"second-controller\"",
    "kind = \"clock-jumps\"",
    "kind = \"server-dies\"",
    "kind = \"worker-dies\"",
    "kind = \"deploy\"",
    "kind = \"slow\", service = \"database\"",
    "kind = \"redis-restarts\"",
    "kind = \"cut\", between = [\"standby\", \"redis\"]",
    "kind = \"retry-storm\"",
];

/// Faults that wait for a command that is never given so often.
const AWAITED: [&str; 5] = [
    "kind = \"command-fails\"",
    "kind = \"command-lost\"",
    "kind = \"answer-twice\"",
    "kind = \"controller-killed\"",
    "kind = \"services-crash\"",
];

/// All that a run found out, but for what names its bytes.
fn found(record: RunRecord) -> (Summary, RunRecord) {
    let summary = Summary { fingerprint: String::new(), ..record.summary.clone() };
    (summary.clone(), RunRecord { summary, ..record })
}

fn with(fault: &str) -> RunRecord {
    record("", vec![format!("fault=[{{ {fault} }}]")])
}

/// Compares what was found with the fault and without it.
fn compare(fault: &str) -> Result<(), TestCaseError> {
    let plain = found(record("", Vec::new()));
    let other = found(with(fault));
    prop_assert_eq!(plain.0.properties, other.0.properties, "{}", fault);
    prop_assert_eq!(plain.1.stages, other.1.stages, "{}", fault);
    prop_assert_eq!(plain.1.ledger, other.1.ledger, "{}", fault);
    prop_assert_eq!(plain.0.requests, other.0.requests, "{}", fault);
    prop_assert_eq!(plain.0.jobs, other.0.jobs, "{}", fault);
    Ok(())
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn a_fault_that_comes_too_rarely_to_come_changes_nothing(kind in select(&KINDS[..])) {
        compare(&format!("{kind}, every = \"100000d\""))?;
    }

    #[test]
    fn a_fault_of_a_command_that_is_never_given_changes_nothing(
        kind in select(&AWAITED[..]),
        step in select(vec!["power-on", "start-services", "join", "drain", "power-off"]),
        nth in 90..99u32,
    ) {
        compare(&format!("{kind}, step = \"{step}\", nth = {nth}"))?;
    }
}

#[test]
fn a_fault_that_begins_is_seen_by_the_same_comparison() {
    let plain = found(record("", Vec::new()));
    let other = found(with("kind = \"server-dies\", at = \"10m\""));
    assert_ne!(plain.1.stages, other.1.stages);
}
