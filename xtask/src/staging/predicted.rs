//! What the simulation says that becomes of a scenario with faults: the same has to become of it on
//! the stack.

use serde_json::Value;
use tidegate_sim::model::Model;
use tidegate_sim::run::run;

use super::controller;
use super::failure::Failure;
use super::judge::Broken;
use super::tell::say;

/// What became of a run, apart from how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    requests_failed: bool,
    jobs_lost: bool,
    jobs_duplicated: bool,
    ups: u64,
    downs: u64,
    violated: Vec<String>,
}

impl Outcome {
    /// What the simulation says.
    pub fn simulated(model: &Model) -> Result<Self, Failure> {
        let finished = run(model, &mut std::io::sink(), &mut |_| {});
        let finished = finished.map_err(|why| Failure::io("simulate the scenario", why))?;
        let summary = serde_json::to_value(&finished.record.summary);
        summary
            .map(|summary| Self::of(&summary))
            .map_err(|why| Failure::said("read what was simulated", why.to_string()))
    }

    /// What the record of the stack's own run says.
    pub fn recorded() -> Result<Self, Failure> {
        controller::summary().map(|summary| Self::of(&summary))
    }

    fn of(summary: &Value) -> Self {
        let count = |part: &str, name: &str| summary[part][name].as_u64().unwrap_or(0);
        Self {
            requests_failed: count("requests", "failed") > 0,
            jobs_lost: count("jobs", "lost") > 0,
            jobs_duplicated: count("jobs", "duplicated") > 0,
            ups: count("scaling", "ups"),
            downs: count("scaling", "downs"),
            violated: controller::violated(summary),
        }
    }

    /// Whether this is what it comes to; it is printed.
    pub fn came_true(&self, actual: &Self) -> bool {
        say(&format!("Simulated  {}", self.shown()));
        if self != actual {
            say(&format!("and it was {}", actual.shown()));
        }
        self == actual
    }

    /// Whether it is foretold that something does not hold.
    pub const fn allows(&self, broken: Broken) -> bool {
        match broken {
            Broken::RequestsFailed => self.requests_failed,
            Broken::JobsLost => self.jobs_lost,
            Broken::JobsTwice => self.jobs_duplicated,
            Broken::Property => !self.violated.is_empty(),
            Broken::StandbyNotOff
            | Broken::NothingScaled
            | Broken::Replay
            | Broken::Ledger
            | Broken::Expectation
            | Broken::FaultMissed
            | Broken::NotAsSimulated => false,
        }
    }

    fn shown(&self) -> String {
        let some = |is: bool| if is { "some" } else { "no" };
        let violated = match &*self.violated {
            [] => "all properties hold".to_owned(),
            violated => format!("violated: {}", violated.join(", ")),
        };
        format!(
            "{} up, {} down; {} failed requests, {} lost jobs, {} jobs done twice; {violated}",
            self.ups,
            self.downs,
            some(self.requests_failed),
            some(self.jobs_lost),
            some(self.jobs_duplicated),
        )
    }
}
