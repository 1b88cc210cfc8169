//! `controls`: that a rehearsal can fail. The stack is broken in each of the known ways, and what
//! that breaks must be found.

use super::breaks::Break;
use super::config::Scenario;
use super::failure::Failure;
use super::play::{Play, play};
use super::tell::say;
use super::{interrupt, lock};

/// Breaks the stack in each way in turn; whether each was noticed.
pub(super) fn controls() -> Result<bool, Failure> {
    let lock = lock::take()?;
    interrupt::watch()?;
    let mut missed = Vec::new();
    for broken in Break::ALL {
        say(&format!("\n{}: must fail", broken.name()));
        let found = play(&Play {
            scenario: Scenario::new(None, "controls"),
            speed: 1,
            kills_controller: false,
            broken: Some(broken),
        })?;
        if !found.contains(&broken.breaks()) {
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
