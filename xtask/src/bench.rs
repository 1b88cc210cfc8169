//! `cargo xtask bench`: what `cargo bench` measures, with other simulators in the same table, and
//! the memory of a long run against that of a short one.

mod memory;
mod peers;

use crate::command::{cargo, complain, succeeds};

/// Measures everything; whether all could be measured.
pub(crate) fn bench(quick: bool) -> bool {
    let (peers, missing): (Vec<_>, Vec<_>) =
        peers::ALL.iter().map(peers::Peer::prepare).partition(Result::is_ok);
    let mut command = cargo(&["bench", "--locked", "--"]);
    command.args(quick.then_some("--quick")).args(peers.into_iter().flatten().flatten());
    let mut fine = missing.is_empty();
    fine &= succeeds(command);
    fine &= memory::measure().inspect_err(|why| complain(why)).is_ok();
    for why in missing.into_iter().filter_map(Result::err) {
        complain(&why);
    }
    fine
}
