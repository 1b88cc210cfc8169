//! The `tidegate` command: arguments, exit codes, progress; no logic.
//!
//! Exit codes: 0 all held, 1 a property or an expectation failed or a replay differs, 2 bad input,
//! 3 a fault of a live host, 130 ended by Ctrl-C.

mod ask;
mod check;
mod command;
mod config;
mod doctor;
mod enable;
mod folder;
mod interrupt;
mod live;
mod print;
mod reconcile;
mod record;
mod refuse;
mod replay;
mod rules;
mod run;
mod status;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// Designs, proves, prices and runs prepared-capacity autoscaling.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Simulates a scenario, prints its report and writes it to `out/<name>/`.
    Run(run::RunArguments),
    /// Draws scenarios with faults, runs and judges them, and shrinks what fails.
    Check(check::CheckArguments),
    /// Scales real servers: the controller of each group of a configuration, until it is stopped.
    Live(live::LiveArguments),
    /// Tells whether the groups of a live configuration could be scaled, and what is missing.
    Doctor(doctor::DoctorArguments),
    /// Sets a group of a live configuration up, and scales it up and down once to try it.
    Enable(enable::EnableArguments),
    /// Undoes what set a group of a live configuration up.
    Disable(enable::DisableArguments),
    /// Writes down what a live group did, judged and reported as a simulated run is.
    Record(record::RecordArguments),
    /// Compares the ledger of a live group with what its provider tells.
    Reconcile(reconcile::ReconcileArguments),
    /// Steps the core through the journal of a recorded run and compares.
    Replay(replay::ReplayArguments),
    /// Shows how the groups of a live host are.
    Status(status::StatusArguments),
    /// Asks a group of a live host for something, as a person.
    Ask(ask::AskArguments),
    /// Prints the rules of a live configuration as alerting rules of Prometheus.
    Rules(rules::RulesArguments),
    /// Prints the JSON Schema of the scenario file.
    Schema,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::Live(arguments) => live::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Enable(arguments) => enable::enable(&arguments),
        Command::Disable(arguments) => enable::disable(&arguments),
        Command::Record(arguments) => record::run(&arguments),
        Command::Reconcile(arguments) => reconcile::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Ask(arguments) => ask::run(&arguments),
        Command::Rules(arguments) => rules::run(&arguments),
        Command::Schema => {
            let schema = tidegate_sim::scenario::schema();
            tell(
                &format!("{}\n", serde_json::to_string_pretty(&schema).unwrap_or_default()),
                ExitCode::SUCCESS,
            )
        }
    }
}

/// Prints a result; `code` is the exit code if that goes well.
fn tell(text: &str, code: ExitCode) -> ExitCode {
    match print::result(text) {
        Ok(()) => code,
        Err(why) => refuse::plain("the result cannot be written to standard output", &why),
    }
}
