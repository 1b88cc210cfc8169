//! The peak memory of an hour against that of a week of the same load.

use serde_json::Value;

use crate::command::cargo;

const WITHIN: f64 = 1.1;
const MIB: f64 = (1u64 << 20) as f64;
const MOST_MIB: f64 = 64.0;

/// Measures and prints both, or says why that cannot be done.
#[expect(clippy::print_stdout, reason = "the table is what a bench is for")]
pub(super) fn measure() -> Result<(), String> {
    let (hour, week) = (peak_mib("1h")?, peak_mib("7d")?);
    let verdict = |reached| if reached { "reached" } else { "missed" };
    println!("\nmemory: 50 requests a second for an hour and for a week");
    println!("an hour {hour:.1} MiB, a week {week:.1} MiB, required below {MOST_MIB}: {}", {
        verdict(week < MOST_MIB)
    });
    println!("a week ÷ an hour {:.2}, required at most {WITHIN}: {}", week / hour, {
        verdict(week <= hour * WITHIN)
    });
    Ok(())
}

/// The peak of a run of `duration`, as it reports it itself.
fn peak_mib(duration: &str) -> Result<f64, String> {
    let mut command = cargo(&["run", "--release", "--quiet", "--locked"]);
    command.args(["--", "run", "xtask/memory.toml", "--set", &format!("duration={duration}")]);
    command.args(["--format", "json", "--out", "target/bench"]);
    let output = command.output().map_err(|why| format!("memory is not measured: {why}"))?;
    let result: Value = serde_json::from_slice(&output.stdout).map_err(|_| {
        format!("memory is not measured: {}", String::from_utf8_lossy(&output.stderr))
    })?;
    let peak = result["simulation"]["peak_rss_bytes"].as_f64().filter(|&bytes| bytes > 0.0);
    peak.map(|bytes| bytes / MIB).ok_or_else(|| "the run does not know its peak memory".to_owned())
}
