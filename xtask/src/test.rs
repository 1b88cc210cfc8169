//! `cargo xtask test`.

use std::process::{Command, Stdio};

use crate::command::{cargo, program, root, succeeds};
use crate::packages;

const FINGERPRINTS: [&str; 8] = [
    "nextest",
    "run",
    "--release",
    "--locked",
    "--package",
    "tidegate-sim",
    "--test",
    "fingerprints",
];

const TESTS: [&str; 4] = ["nextest", "run", "--workspace", "--locked"];

/// Installs the real software that tests run against, and runs every test, those that the everyday
/// loop leaves out too; the examples in documents come apart, as nextest does not run them. The
/// fingerprints are looked at in an optimized build too, for which they must be the same. The last
/// are rehearsals on real software: one in each tier, one in which the controller is killed at
/// every step, and that they can fail.
pub(crate) fn test() -> bool {
    prepared()
        && succeeds(with_seed(cargo(&[&TESTS[..], &["--run-ignored", "all"]].concat())))
        && succeeds(cargo(&["test", "--workspace", "--doc", "--locked"]))
        && succeeds(cargo(&FINGERPRINTS))
        && staging(&["rehearse"])
        && staging(&["rehearse", "--tier", "vm"])
        && staging(&["rehearse", "scenarios/staging/kills.toml"])
        && staging(&["controls"])
}

/// Installs what is missing while the tests are built: one waits for the network, the other not.
fn prepared() -> bool {
    std::thread::scope(|scope| {
        let installed = scope.spawn(packages::install);
        let built = (has_nextest() || succeeds(cargo(&["install", "cargo-nextest", "--locked"])))
            && succeeds(cargo(&[&TESTS[..], &["--no-run"]].concat()));
        installed.join().unwrap_or(false) && built
    })
}

/// Runs the stack with the programs that the tests have built: cargo would build them and what they
/// rest on once more, with other features.
fn staging(arguments: &[&str]) -> bool {
    let own = root().join("target/debug/xtask");
    succeeds(program(own, &[&["staging"], arguments, &["--built"]].concat()))
}

/// Runs are drawn by what the commit holds, so that each commit draws others and the same ones each
/// time. Without a commit they are drawn as in the everyday loop.
fn with_seed(mut tests: Command) -> Command {
    let tree = program("git", &["rev-parse", "HEAD^{tree}"]).output();
    let hash = tree.ok().and_then(|tree| String::from_utf8(tree.stdout).ok()).unwrap_or_default();
    if let Some(seed) = hash.get(..8).and_then(|hash| u32::from_str_radix(hash, 16).ok()) {
        tests.env("TIDEGATE_CHECK_SEED", seed.to_string());
    }
    tests
}

fn has_nextest() -> bool {
    let mut asked = cargo(&["nextest", "--version"]);
    asked.stdout(Stdio::null()).stderr(Stdio::null());
    succeeds(asked)
}
