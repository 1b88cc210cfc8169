//! What `tidegate check` prints.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use tidegate_sim::check::{Bounds, Failure, Shrunk, Swept};

use super::{CheckArguments, draw_of};
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
    pub arguments: &'a CheckArguments,
}

impl Report<'_> {
    fn days(&self) -> f64 {
        self.swept.tally.seconds as f64 / 86_400.0
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
        if tally.runs == 0 {
            writeln!(out, "nothing was run")?;
        } else if failed == 0 {
            writeln!(out, "held over {:.1} simulated days in {} runs", self.days(), tally.runs)?;
        } else {
            writeln!(out, "{failed} of {} runs failed", tally.runs)?;
        }
        if tally.runs < self.arguments.runs {
            writeln!(out, "  ended early: {} runs were asked for", self.arguments.runs)?;
        }
        writeln!(out, "\n  seed {}", self.arguments.seed)?;
        writeln!(
            out,
            "  requests      {:>12}  of them failed {}",
            tally.requests, tally.failed_requests
        )?;
        writeln!(out, "  jobs          {:>12}", tally.jobs)?;
        let [up, down, undone] = tally.events;
        writeln!(out, "  scale events  {:>12}  up {up}, down {down}, undone {undone}", up + down)?;
        if self.bounds.faults[1] > 0 {
            self.write_faults(out)?;
        }
        for (run, failure) in self.swept.firsts() {
            writeln!(out, "\n  {} violated in run {run}", failure.property)?;
            let found = self.found.iter().find(|found| {
                found.run == run && found.shrunk.failure.property == failure.property
            });
            let Some(found) = found else {
                writeln!(out, "    {}", failure.what)?;
                writeln!(out, "    {} > run-{run}.toml", draw_of(self.arguments, run))?;
                writeln!(out, "    tidegate run run-{run}.toml")?;
                continue;
            };
            writeln!(out, "    {}", found.shrunk.failure.what)?;
            writeln!(out, "    {}", run_of(&found.path))?;
        }
        Ok(())
    }

    fn write_faults(&self, out: &mut String) -> std::fmt::Result {
        let tally = &self.swept.tally;
        writeln!(out, "\n  faults that befell something   runs      times")?;
        for (kind, (runs, times)) in &tally.faults {
            writeln!(out, "    {:<27}{runs:>7}{times:>11}", kind.name())?;
        }
        let never: Vec<&str> =
            tally.never(&self.bounds.kinds).iter().map(|kind| kind.name()).collect();
        if !never.is_empty() {
            writeln!(out, "{}", wrapped("    never: ", &never.join(", ")))?;
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
                json!({
                    "run": run,
                    "draw": draw_of(self.arguments, *run).to_string(),
                    "violated": violated.collect::<Vec<_>>(),
                })
            })
            .collect();
        let [up, down, undone] = tally.events;
        let all = json!({
            "holds": self.swept.failed.is_empty(),
            "seed": self.arguments.seed,
            "runs": tally.runs,
            "runs_wanted": self.arguments.runs,
            "ended_early": tally.runs < self.arguments.runs,
            "simulated_days": self.days(),
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

/// A list on lines of a hundred columns at most, each as far to the right as the first.
fn wrapped(before: &str, list: &str) -> String {
    let mut lines = vec![before.to_owned()];
    for word in list.split_inclusive(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + word.trim_end().len() <= 100 => line.push_str(word),
            Some(_) | None => lines.push(format!("{:1$}{word}", "", before.len())),
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}
