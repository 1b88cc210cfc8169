//! Developer commands: `cargo xtask test` installs what the tests need and runs them all.

use std::process::{Command, ExitCode, Stdio};

fn main() -> ExitCode {
    let task: Vec<String> = std::env::args().skip(1).collect();
    if task != ["test"] {
        return refuse(&task.join(" "));
    }
    if test() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs every test; the examples in documents come apart, as nextest does not run them.
fn test() -> bool {
    (has_nextest() || cargo(&["install", "cargo-nextest", "--locked"]))
        && cargo(&["nextest", "run", "--workspace", "--locked"])
        && cargo(&["test", "--workspace", "--doc", "--locked"])
}

fn has_nextest() -> bool {
    let mut asked = command(&["nextest", "--version"]);
    asked.stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}

/// Runs cargo; whether it went well.
fn cargo(arguments: &[&str]) -> bool {
    command(arguments).status().is_ok_and(|status| status.success())
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

#[expect(clippy::print_stderr, reason = "the message is for the person at the terminal")]
fn refuse(task: &str) -> ExitCode {
    let named = if task.is_empty() { "nothing" } else { task };
    eprintln!("xtask: `{named}` is not a task; the tasks are: test");
    ExitCode::from(2)
}
