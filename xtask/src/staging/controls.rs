//! `controls`: that a rehearsal can fail. The stack is broken in each of the known ways, and what
//! that breaks must be found, by the clients or jobs and by the property that owns it. `faults`:
//! that it comes as the simulation says, whatever goes wrong.

use super::breaks::Break;
use super::config::Scenario;
use super::failure::Failure;
use super::faults::Named;
use super::judge::Broken;
use super::play::{Play, play};
use super::tell::say;
use super::tier::Tier;
use super::{Built, controller, interrupt, lock};

/// Breaks the stack in each way in turn; whether each was noticed.
pub(super) fn controls(built: Built) -> Result<bool, Failure> {
    in_turn(built, &Break::ALL, ["breaks was noticed", "not noticed: "], |broken| {
        say(&format!("\n{}: must fail", broken.name()));
        let scenario = Scenario::new(None, "controls");
        let found = played(scenario, Tier::Plain, Some(broken))?;
        let violated = controller::violated(&controller::summary()?);
        let is_violated = violated.iter().any(|name| name == broken.violates());
        let is_noticed = is_violated && found.contains(&broken.breaks());
        Ok((!is_noticed).then(|| broken.name()))
    })
}

/// Lets each fault befall the stack in turn; whether each came as it is simulated.
pub(super) fn faults(built: Built) -> Result<bool, Failure> {
    in_turn(built, &Named::all(), ["faults came as it is simulated", ""], |(fault, tier)| {
        let name = format!("{} in tier {}", fault.name(), tier.word());
        say(&format!("\n{name}: must come as it is simulated"));
        let mut scenario = Scenario::new(None, fault.scenario(tier));
        scenario.set.push(fault.set().to_owned());
        let found = played(scenario, tier, None)?;
        Ok((!found.is_empty()).then_some(name))
    })
}

fn played(scenario: Scenario, tier: Tier, broken: Option<Break>) -> Result<Vec<Broken>, Failure> {
    play(&Play { scenario, tier, speed: 1, kills_controller: false, broken })
}

/// Plays each in turn; whether all went as they should. Of one that did not, `play_one` says the
/// name.
fn in_turn<T: Copy>(
    built: Built,
    all: &[T],
    [held, not]: [&str; 2],
    play_one: impl Fn(T) -> Result<Option<String>, Failure>,
) -> Result<bool, Failure> {
    let lock = lock::take()?;
    interrupt::watch()?;
    built.prepare()?;
    let mut failed = Vec::new();
    for one in all {
        failed.extend(play_one(*one)?);
    }
    lock.release();
    let count = all.len();
    say(&match &*failed {
        [] => format!("\nHELD: each of {count} {held}"),
        failed => format!("\nFAILED: {not}{}", failed.join(", ")),
    });
    Ok(failed.is_empty())
}
