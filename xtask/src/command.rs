//! Other programs, run from the root of the workspace.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Cargo, with these arguments.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments)
}

/// A program of the machine, with these arguments.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

/// Runs it; whether it went well.
pub(crate) fn succeeds(mut command: Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

/// Tells the person at the terminal what is wrong.
#[expect(clippy::print_stderr, reason = "the message is for the person at the terminal")]
pub(crate) fn complain(what: &str) {
    eprintln!("xtask: {what}");
}
