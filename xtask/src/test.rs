//! `cargo xtask test`.

use std::process::Stdio;

use crate::command::{cargo, succeeds};
use crate::packages;

const FINGERPRINTS: [&str; 8] = [
    "nextest",
    "run",
    "--release",
    "--locked",
    "--package",
    "tidegate-tests",
    "--test",
    "fingerprints",
];

/// Installs the real software that tests run against, and runs every test, those that the everyday
/// loop leaves out too; the examples in documents come apart, as nextest does not run them. The
/// fingerprints are looked at in an optimized build too, for which they must be the same.
pub(crate) fn test() -> bool {
    packages::install()
        && (has_nextest() || succeeds(cargo(&["install", "cargo-nextest", "--locked"])))
        && succeeds(cargo(&["nextest", "run", "--workspace", "--locked", "--run-ignored", "all"]))
        && succeeds(cargo(&["test", "--workspace", "--doc", "--locked"]))
        && succeeds(cargo(&FINGERPRINTS))
}

fn has_nextest() -> bool {
    let mut asked = cargo(&["nextest", "--version"]);
    asked.stdout(Stdio::null()).stderr(Stdio::null());
    succeeds(asked)
}
