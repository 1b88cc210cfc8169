//! What must hold between one run and another.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

#[path = "../../../core/tests/properties/cases.rs"]
mod cases;
mod faults;
mod load;

use std::path::Path;

use tidegate_core::record::RunRecord;
use tidegate_sim::scenario::{Overrides, parse};

use cases::config;

/// Two plans' worth of rules, three standbys, a load that does not change.
const SCENARIO: &str = r#"
title = "a steady load"
start = "2026-03-02T08:00[UTC]"
duration = "30m"
plans.m = { vcpu = 2, memory = "8GiB", price = "0.36 USD/hour" }
group = { primary = "m", standbys = 3 }
server = { boot = "30s", services = "30s" }
request = [{ name = "page", phases = [{ cpu = "50ms" }] }]
load = [{ kind = "constant", rate = 10.0 }]

[[policy.up]]
metric = "cpu"
above = "75%"
for = "3m"

[[policy.down]]
metric = "cpu"
below = "30%"
for = "3m"

[[policy.schedule]]
servers = 2
from = "2026-03-02T08:05[UTC]"
until = "2026-03-02T08:15[UTC]"
"#;

/// The record of [`SCENARIO`] with more lines at its end and keys set.
fn record(more: &str, set: Vec<String>) -> RunRecord {
    let text = format!("{SCENARIO}{more}");
    let overrides = Overrides { set, ..Overrides::default() };
    let model = parse("steady", "steady.toml", &text, Path::new("."), &overrides)
        .unwrap_or_else(|why| panic!("{why}: {more}"));
    tidegate_sim::run::run(&model, &mut Vec::new(), &mut |_| {}).unwrap().record
}
