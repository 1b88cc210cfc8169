//! `rehearse`: one scenario, or as many cycles as are asked for.

use std::path::PathBuf;

use clap::Args;

use super::breaks::Break;
use super::config::Scenario;
use super::failure::Failure;
use super::faults::Named;
use super::play::{Play, play};
use super::tier::Tier;
use super::{Built, interrupt, lock};

/// Seconds from one scale-up to the next in `cycles.toml`.
const CYCLE_S: u32 = 30;

#[derive(Debug, Args)]
pub(crate) struct RehearseArguments {
    /// The scenario; without one, the stack's own.
    scenario: Option<PathBuf>,
    /// What the standby is.
    #[arg(long, value_enum, default_value_t)]
    tier: Tier,
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
    /// Replaces or adds a value of the scenario, as `tidegate run` does.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Lets something go wrong for a while; the outcome must be the one that the simulation has.
    #[arg(long, value_name = "WHAT", conflicts_with_all = ["broken", "cycles"])]
    fault: Option<Named>,
    /// Breaks the stack, so that the rehearsal must fail.
    #[arg(long = "break", value_name = "HOW")]
    broken: Option<Break>,
    #[command(flatten)]
    built: Built,
}

/// Rehearses; whether all held.
pub(super) fn rehearse(arguments: &RehearseArguments) -> Result<bool, Failure> {
    let tier = arguments.fault.map_or(arguments.tier, |fault| fault.tier().max(arguments.tier));
    let own = match arguments {
        RehearseArguments { cycles: Some(_), .. } => "cycles",
        RehearseArguments { fault: Some(fault), .. } => fault.scenario(tier),
        RehearseArguments { broken: Some(_), .. } => "controls",
        RehearseArguments { tier: Tier::Vm, .. } => "machine",
        _ => "rehearsal",
    };
    let mut scenario = Scenario::new(arguments.scenario.as_deref(), own);
    scenario.set.clone_from(&arguments.set);
    scenario.set.extend(arguments.cycles.map(|cycles| format!("duration={}s", cycles * CYCLE_S)));
    scenario.set.extend(arguments.fault.map(|fault| fault.set().to_owned()));
    let lock = lock::take()?;
    interrupt::watch()?;
    arguments.built.prepare()?;
    let broken = play(&Play {
        scenario,
        tier,
        speed: arguments.speed,
        kills_controller: arguments.kill_controller,
        broken: arguments.broken,
    })?;
    lock.release();
    Ok(broken.is_empty())
}
