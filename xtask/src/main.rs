//! Developer commands: `cargo xtask test` installs what the tests need and runs them all;
//! `cargo xtask bench` measures the simulator beside others; `cargo xtask staging` runs a group on
//! real software.

mod bench;
mod command;
mod packages;
mod staging;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Developer commands of Tidegate.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Tasks {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Installs what the tests need and runs every test.
    Test,
    /// Measures the simulator beside others.
    Bench {
        /// Shorter contests.
        #[arg(long)]
        quick: bool,
    },
    /// Runs a group on real software on this machine, and rehearses its scaling.
    #[command(subcommand)]
    Staging(staging::Task),
    /// The same as `staging rehearse`.
    Rehearse(staging::RehearseArguments),
}

fn main() -> ExitCode {
    let fine = match Tasks::parse().task {
        Task::Test => test::test(),
        Task::Bench { quick } => bench::bench(quick),
        Task::Staging(task) => return staging::run(task),
        Task::Rehearse(arguments) => return staging::run(staging::Task::Rehearse(arguments)),
    };
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
