//! What `tidegate check` prints.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tidegate_sim::check::{Bounds, Failure, Shrunk, Swept};

use crate::command::run_of;

/// A failure that was shrunk and written.
#[derive(Debug)]
pub(super) struct Found {
    /// The run.
    pub run: u64,
    /// The small case.
    pub shrunk: Shrunk,
    /// Where it lies.
    pub path: PathBuf,
}

/// All that is known after a swarm.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub swept: &'a Swept,
    pub bounds: &'a Bounds,
    pub found: &'a [Found],
    pub wanted: u64,
    pub seed: u64,
    pub wall: Duration,
}

impl Report<'_> {
    fn days(&self) -> f64 {
        self.swept.tally.seconds as f64 / 86_400.0
    }

    /// Simulated hours of a group in a minute of the clock on the wall.
    fn group_hours_a_minute(&self) -> f64 {
        self.days() * 24.0 / (self.wall.as_secs_f64() / 60.0).max(1e-9)
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_text(&mut out);
        out
    }

    fn write_text(&self, out: &mut String) -> std::fmt::Result {
        let tally = &self.swept.tally;
        let failed = self.swept.failed.len();
        if failed == 0 {
            writeln!(out, "held over {:.1} simulated days in {} runs", self.days(), tally.runs)?;
        } else {
            writeln!(out, "{failed} of {} runs failed", tally.runs)?;
        }
        if tally.runs < self.wanted {
            writeln!(out, "  ended early: {} runs were asked for", self.wanted)?;
        }
        writeln!(
            out,
            "\n  seed {}, {:.0} simulated group-hours a minute",
            self.seed,
            self.group_hours_a_minute()
        )?;
        writeln!(
            out,
            "  requests      {:>12}  of them failed {}",
            tally.requests, tally.failed_requests
        )?;
        writeln!(out, "  jobs          {:>12}", tally.jobs)?;
        let [up, down, undone] = tally.events;
        writeln!(out, "  scale events  {:>12}  up {up}, down {down}, undone {undone}", up + down)?;
        writeln!(out, "\n  faults that befell something   runs      times")?;
        for (kind, (runs, times)) in &tally.faults {
            writeln!(out, "    {:<27}{runs:>7}{times:>11}", kind.name())?;
        }
        let never: Vec<&str> =
            tally.never(&self.bounds.kinds).iter().map(|kind| kind.name()).collect();
        if !never.is_empty() {
            writeln!(out, "    never: {}", never.join(", "))?;
        }
        for found in self.found {
            let failure = &found.shrunk.failure;
            writeln!(out, "\n  {} violated in run {}", failure.property, found.run)?;
            writeln!(out, "    {}", failure.what)?;
            writeln!(out, "    {}", run_of(&found.path))?;
        }
        Ok(())
    }

    pub fn json(&self) -> String {
        let tally = &self.swept.tally;
        let faults: serde_json::Map<String, serde_json::Value> = tally
            .faults
            .iter()
            .map(|(kind, (runs, times))| {
                (kind.name().to_owned(), json!({ "runs": runs, "times": times }))
            })
            .collect();
        let failures: Vec<_> = self
            .swept
            .failed
            .iter()
            .map(|(run, failures)| {
                let file = |failure: &Failure| {
                    let of = |found: &&Found| {
                        found.run == *run && found.shrunk.failure.property == failure.property
                    };
                    let found = self.found.iter().find(of);
                    found.map(|found| found.path.as_path())
                };
                let violated = failures.iter().map(|failure| {
                    let Failure { property, what, .. } = failure;
                    let file = file(failure);
                    let command = file.map(|file| run_of(file).to_string());
                    json!({
                        "property": property,
                        "what": what,
                        "file": file.map(Path::to_string_lossy),
                        "command": command,
                    })
                });
                json!({ "run": run, "violated": violated.collect::<Vec<_>>() })
            })
            .collect();
        let [up, down, undone] = tally.events;
        let all = json!({
            "holds": self.swept.failed.is_empty(),
            "seed": self.seed,
            "runs": tally.runs,
            "runs_wanted": self.wanted,
            "simulated_days": self.days(),
            "wall_seconds": self.wall.as_secs_f64(),
            "group_hours_a_minute": self.group_hours_a_minute(),
            "requests": tally.requests,
            "requests_failed": tally.failed_requests,
            "jobs": tally.jobs,
            "scale_events": { "up": up, "down": down, "undone": undone },
            "faults": faults,
            "faults_never":
                tally.never(&self.bounds.kinds).iter().map(|kind| kind.name()).collect::<Vec<_>>(),
            "failures": failures,
        });
        format!("{}\n", serde_json::to_string_pretty(&all).unwrap_or_default())
    }
}
