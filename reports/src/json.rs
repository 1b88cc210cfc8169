//! The summary as JSON.

use serde::Serialize;
use tidegate_core::record::{Simulation, Summary};

/// The summary as indented JSON with a newline at its end, the form of `summary.json`.
pub fn summary_json(summary: &Summary) -> String {
    pretty(summary)
}

/// The same with a last key `simulation`, for standard output.
pub fn run_json(summary: &Summary, simulation: &Simulation) -> String {
    pretty(&Run { summary, simulation })
}

#[derive(Serialize)]
struct Run<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    simulation: &'a Simulation,
}

/// A summary has string keys only and writes into memory, so there is nothing that can fail;
/// should it do so nevertheless, the reason stands where the summary would.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value)
        .unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }).to_string());
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn keys(text: &str) -> Vec<&str> {
        let top = |line: &&str| line.starts_with("  \"");
        text.lines().filter(top).filter_map(|line| line.split('"').nth(1)).collect()
    }

    #[test]
    fn keys_come_in_their_order() {
        let record = fixture::record();
        let mut expected = vec![
            "scenario",
            "seed",
            "fidelity",
            "fingerprint",
            "requests",
            "jobs",
            "scaling",
            "billing",
            "properties",
            "expectations",
        ];
        assert_eq!(keys(&summary_json(&record.summary)), expected);
        expected.push("simulation");
        assert_eq!(keys(&run_json(&record.summary, &fixture::simulation())), expected);
    }

    #[test]
    fn a_summary_reads_back() {
        let summary = fixture::record().summary;
        let text = summary_json(&summary);
        assert!(text.ends_with("}\n"));
        assert_eq!(serde_json::from_str::<Summary>(&text).expect("reads back"), summary);
    }
}
