//! `rehearse`: one scenario, or as many cycles as are asked for.

use std::path::PathBuf;

use clap::Args;

use super::breaks::Break;
use super::config::Scenario;
use super::failure::Failure;
use super::play::{Play, play};
use super::{interrupt, lock};

/// Seconds from one scale-up to the next in `cycles.toml`.
const CYCLE_S: u32 = 30;

#[derive(Debug, Args)]
pub(crate) struct RehearseArguments {
    /// The scenario; without one, the stack's own.
    scenario: Option<PathBuf>,
    /// Seconds of the scenario's load that pass in one.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    speed: u32,
    /// So many scale-ups and scale-downs, half a minute each, under a steady load.
    #[arg(
        long, value_name = "N", conflicts_with_all = ["scenario", "speed"],
        value_parser = clap::value_parser!(u32).range(1..=2880)
    )]
    cycles: Option<u32>,
    /// Kills the controller every few seconds, at any moment, and starts it again.
    #[arg(long)]
    kill_controller: bool,
    /// Breaks the stack, so that the rehearsal must fail.
    #[arg(long = "break", value_name = "HOW")]
    broken: Option<Break>,
}

/// Rehearses; whether all held.
pub(super) fn rehearse(arguments: &RehearseArguments) -> Result<bool, Failure> {
    let own = match (arguments.cycles, arguments.broken) {
        (Some(_), _) => "cycles",
        (None, Some(_)) => "controls",
        (None, None) => "rehearsal",
    };
    let mut scenario = Scenario::new(arguments.scenario.as_deref(), own);
    scenario.set.extend(arguments.cycles.map(|cycles| format!("duration={}s", cycles * CYCLE_S)));
    let lock = lock::take()?;
    interrupt::watch()?;
    let broken = play(&Play {
        scenario,
        speed: arguments.speed,
        kills_controller: arguments.kill_controller,
        broken: arguments.broken,
    })?;
    lock.release();
    Ok(broken.is_empty())
}
