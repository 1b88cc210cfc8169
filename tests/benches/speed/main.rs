//! How fast the simulator is, against simulators written by hand for one model each, side by side.
//!
//! `cargo bench -- NAME… --quick` runs the contests of these names, or all, for a short time.
//! `--peer NAME CUSTOMERS COMMAND` adds a program to the contest of the queue: see [`peer`].

mod arguments;
mod by_hand;
mod contest;
mod contests;
mod ours;
mod peer;
mod table;

use std::process::ExitCode;

use arguments::Arguments;

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(why) => return table::refuse(&why),
    };
    let mut fine = true;
    for contest in contests::chosen(&arguments) {
        let rows = contest.hold(arguments.rounds());
        table::print(&contest, &rows);
        fine &= rows.iter().all(|row| row.fault.is_none());
    }
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
