//! Within what a swarm draws.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_core::Span;

use crate::model::FaultKind;
use crate::scenario::{Fault, ScenarioError, span_of, syntax_error};

/// The bounds of a swarm, as a TOML file states them. What it leaves out is as here.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bounds {
    /// Requests that a run has at most, about. More are drawn together into fewer, heavier ones.
    pub requests: u64,
    /// Least and greatest factor on the load.
    pub load: [f64; 2],
    /// Fewest and most standbys.
    pub standbys: [u16; 2],
    /// Fewest and most faults of a run.
    pub faults: [u32; 2],
    /// Kinds of faults.
    pub kinds: Vec<FaultKind>,
    /// How long a fault lasts.
    pub lasting: [Span; 2],
    /// Part at the end of a run in which no fault begins, in which liveness is judged.
    pub quiet: f64,
    /// Whether the policy is drawn.
    pub policy: bool,
    /// Whether machines, proxy and monitoring are drawn.
    pub topology: bool,
    /// Most things that people ask for in a run.
    pub operator: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            requests: 12_000,
            load: [0.3, 2.0],
            standbys: [1, 3],
            faults: [0, 4],
            kinds: FaultKind::ALL.to_vec(),
            lasting: [Span::from_secs(10), Span::from_mins(30)],
            quiet: 0.3,
            policy: true,
            topology: true,
            operator: 2,
        }
    }
}

impl Bounds {
    /// Reads a file of bounds.
    ///
    /// # Errors
    /// If it cannot be read, or is not one.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|why| ScenarioError::about(&file, format!("cannot be read: {why}")))?;
        let bounds: Self = toml::from_str(&text).map_err(|why| syntax_error(&file, &text, &why))?;
        match bounds.check() {
            Ok(()) => Ok(bounds),
            Err(fault) => Err(ScenarioError {
                span: span_of(&text, &fault.path),
                file,
                text,
                message: fault.message,
                hint: fault.hint,
            }),
        }
    }

    fn check(&self) -> Result<(), Fault> {
        let [least, most] = self.load;
        if !(0.0..=1e6).contains(&least) || !(least..=1e6).contains(&most) || most <= 0.0 {
            return Err(Fault::at("load", "`load` needs two factors, the least first"));
        }
        if self.standbys[0] > self.standbys[1] || self.standbys[1] > 64 {
            let message = "`standbys` needs two numbers up to 64, the fewest first";
            return Err(Fault::at("standbys", message));
        }
        if self.faults[0] > self.faults[1] || self.faults[1] > 100 {
            let message = "`faults` needs two numbers up to 100, the fewest first";
            return Err(Fault::at("faults", message));
        }
        if self.lasting[0] > self.lasting[1] || self.lasting[1] > Span::from_hours(24) {
            let message = "`lasting` needs two lengths up to 1d, the shortest first";
            return Err(Fault::at("lasting", message));
        }
        if !(0.0..1.0).contains(&self.quiet) {
            return Err(Fault::at("quiet", "`quiet` must be at least 0 and below 1"));
        }
        if self.kinds.is_empty() && self.faults[1] > 0 {
            let fault = Fault::at("kinds", "`kinds` is empty, and faults are wanted");
            return Err(fault.hint("set `faults` to [0, 0]"));
        }
        if self.requests == 0 {
            return Err(Fault::at("requests", "`requests` must be more than zero"));
        }
        Ok(())
    }
}
