//! `cargo xtask test`.

use std::process::Stdio;

use crate::command::{cargo, succeeds};

/// Runs every test; the examples in documents come apart, as nextest does not run them.
pub(crate) fn test() -> bool {
    (has_nextest() || succeeds(cargo(&["install", "cargo-nextest", "--locked"])))
        && succeeds(cargo(&["nextest", "run", "--workspace", "--locked"]))
        && succeeds(cargo(&["test", "--workspace", "--doc", "--locked"]))
}

fn has_nextest() -> bool {
    let mut asked = cargo(&["nextest", "--version"]);
    asked.stdout(Stdio::null()).stderr(Stdio::null());
    succeeds(asked)
}
