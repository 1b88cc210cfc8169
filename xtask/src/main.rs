//! Developer commands: `cargo xtask test` installs what the tests need and runs them all.

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let task = std::env::args().nth(1);
    match task.as_deref() {
        Some("test") => run(&["nextest", "run", "--workspace", "--locked"])
            .and_then(|()| run(&["test", "--workspace", "--doc", "--locked"]))
            .map_or_else(|code| code, |()| ExitCode::SUCCESS),
        other => {
            let named = other.unwrap_or("nothing");
            #[expect(
                clippy::print_stderr,
                reason = "the message is for the person at the terminal"
            )]
            {
                eprintln!("xtask: `{named}` is not a task; the tasks are: test");
            }
            ExitCode::from(2)
        }
    }
}

/// Runs cargo with `arguments`; a failure is the exit code to leave with.
fn run(arguments: &[&str]) -> Result<(), ExitCode> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    match Command::new(cargo).args(arguments).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(ExitCode::FAILURE),
    }
}
