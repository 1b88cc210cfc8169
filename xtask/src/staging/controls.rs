//! `controls`: that a rehearsal can fail. The stack is broken in each of the known ways, and what
//! that breaks must be found, by the clients or jobs and by the property that owns it. `faults`:
//! that it comes as the simulation says, whatever goes wrong.

use super::breaks::Break;
use super::config::Scenario;
use super::failure::Failure;
use super::faults::Named;
use super::play::{Play, play};
use super::tell::say;
use super::tier::Tier;
use super::{Built, controller, interrupt, lock};

/// Breaks the stack in each way in turn; whether each was noticed.
pub(super) fn controls(built: Built) -> Result<bool, Failure> {
    let lock = lock::take()?;
    interrupt::watch()?;
    built.prepare()?;
    let mut missed = Vec::new();
    for broken in Break::ALL {
        say(&format!("\n{}: must fail", broken.name()));
        let found = play(&Play {
            scenario: Scenario::new(None, "controls"),
            tier: Tier::Plain,
            speed: 1,
            kills_controller: false,
            broken: Some(broken),
        })?;
        let violated = controller::violated(&controller::summary()?);
        let is_violated = violated.iter().any(|name| name == broken.violates());
        if !is_violated || !found.contains(&broken.breaks()) {
            missed.push(broken.name());
        }
    }
    lock.release();
    let count = Break::ALL.len();
    say(&match &*missed {
        [] => format!("\nHELD: each of {count} breaks was noticed"),
        missed => format!("\nFAILED: not noticed: {}", missed.join(", ")),
    });
    Ok(missed.is_empty())
}

/// Lets each fault befall the stack in turn; whether each came as it is simulated.
pub(super) fn faults(built: Built) -> Result<bool, Failure> {
    let lock = lock::take()?;
    interrupt::watch()?;
    built.prepare()?;
    let mut failed = Vec::new();
    for fault in Named::ALL {
        say(&format!("\n{}: must come as it is simulated", fault.name()));
        let mut scenario = Scenario::new(None, fault.scenario());
        scenario.set.push(fault.set().to_owned());
        let tier = fault.tier();
        let kills_controller = false;
        let found = play(&Play { scenario, tier, speed: 1, kills_controller, broken: None })?;
        if !found.is_empty() {
            failed.push(fault.name());
        }
    }
    lock.release();
    let count = Named::ALL.len();
    say(&match &*failed {
        [] => format!("\nHELD: each of {count} faults came as it is simulated"),
        failed => format!("\nFAILED: {}", failed.join(", ")),
    });
    Ok(failed.is_empty())
}
