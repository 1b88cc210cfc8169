//! Scenario files and traces: what can be read is run for a short while too, as far as that stays
//! cheap.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tidegate_core::record::Fidelity;
use tidegate_sim::scenario::Overrides;
use tidegate_tests::fuzz::{EVERYTHING, corpus, light, load, read, run, scenario, trace};
use tidegate_tests::shipped::scenarios;

use crate::change::changed;
use crate::{config, texts_of};

/// The shipped scenarios, [`EVERYTHING`] and what fuzzing begins with.
fn seeds() -> Vec<String> {
    let paths = scenarios("");
    let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    texts.chain([EVERYTHING.to_owned()]).chain(texts_of(corpus("scenario"))).collect()
}

/// Beginnings of the lines of [`EVERYTHING`] that hold what flows do not know.
const UNKNOWN_TO_FLOWS: [&str; 29] = [
    "queue = 1",
    "queue = 200",
    "fidelity",
    "sticky",
    "connect",
    "health = {",
    "memory = \"1MiB\"",
    "eviction",
    "cache = {",
    "snapshot",
    "append_only",
    "miss",
    "oom_killer",
    "writes",
    "{ kind = \"server-dies\"",
    "{ kind = \"server-frozen\"",
    "{ kind = \"services-crash\"",
    "{ kind = \"worker-dies\"",
    "{ kind = \"memory-leak\"",
    "{ kind = \"deploy\"",
    "{ kind = \"slow\"",
    "{ kind = \"stalled\"",
    "{ kind = \"errors\"",
    "{ kind = \"storage-full\"",
    "{ kind = \"redis-restarts\"",
    "{ kind = \"redis-full\"",
    "{ kind = \"cut\"",
    "{ kind = \"slow-link\"",
    "{ kind = \"retry-storm\"",
];

/// Its phases that are given as bytes.
const BYTES: [&str; 3] = ["{ read = \"40KiB\" }", "{ write = \"1MiB\" }", "{ read = \"8MiB\" }"];

/// As [`seeds`], in flows.
fn seeds_in_flows() -> Vec<String> {
    let known = |line: &&str| !UNKNOWN_TO_FLOWS.iter().any(|unknown| line.starts_with(unknown));
    let in_flows = |text: String| {
        let lines: Vec<&str> = text.lines().filter(known).collect();
        let text =
            BYTES.iter().fold(lines.join("\n"), |text, bytes| text.replace(bytes, "\"9ms\""));
        format!("fidelity = \"fluid\"\n{text}\n")
    };
    seeds().into_iter().map(in_flows).collect()
}

pub fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

const TRACE: &str = "seconds,requests_per_minute\n0,40\n60,2\n120,0\n180,7\n";

#[test]
fn what_is_changed_is_itself_sound() {
    for text in seeds() {
        assert!(read(&text, &Overrides::default()).is_some());
    }
    for text in seeds_in_flows() {
        let model = read(&text, &Overrides::default()).unwrap();
        assert_eq!(model.fidelity, Fidelity::Fluid);
        run(&model);
    }
    assert!(light(&read(EVERYTHING, &Overrides::default()).unwrap()).is_some());
    assert!(load(&place("sound.csv"), TRACE.as_bytes()).is_some());
}

/// [`TRACE`] with its times under another name.
fn timed(times: &str) -> String {
    TRACE.replacen("seconds", times, 1)
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn a_changed_scenario_runs_or_is_refused(
        text in changed(seeds(), 1..4),
    ) {
        scenario(&text);
    }

    #[test]
    fn a_changed_scenario_runs_in_flows_or_is_refused(
        text in changed(seeds_in_flows(), 1..4),
    ) {
        scenario(&text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        scenario(&text);
    }

    #[test]
    fn any_override_is_applied_or_refused(key in "[a-z_.0-9]{0,20}", value in any::<String>()) {
        let set = vec![format!("{key}={value}"), format!("load.0.rate={value}"), value];
        for set in set {
            let overrides = Overrides { set: vec![set], ..Overrides::default() };
            if let Some(model) = read(EVERYTHING, &overrides) {
                run(&model);
            }
        }
    }

    #[test]
    fn a_changed_trace_runs_or_is_refused(
        text in changed(["seconds", "timestamp"].map(timed).into(), 1..4),
    ) {
        trace(&place("changed.csv"), text.as_bytes());
    }

    #[test]
    fn any_bytes_are_a_trace_or_refused(bytes in any::<Vec<u8>>()) {
        let headed = [b"timestamp,requests_per_5min\n", bytes.as_slice()].concat();
        for given in [bytes, headed] {
            trace(&place("bytes.csv"), &given);
        }
    }
}
