//! Other simulators, from their registries; the programs that use them lie in `xtask/peers/`.

use crate::command::{cargo, program, succeeds};

const VENV: &str = "target/peers/venv";
const PYTHON: &str = "target/peers/venv/bin/python";

enum Source {
    /// A crate, and a program and feature of that name in `xtask/peers/`.
    Crate,
    /// A package of `xtask/peers/requirements.txt`, and a program of `xtask/peers/`.
    Python(&'static str),
}

/// A simulator to measure.
pub(super) struct Peer {
    name: &'static str,
    source: Source,
    customers: &'static str,
    /// How many times as fast the simulator has to be.
    wanted: &'static str,
}

/// All of them; the slow ones simulate fewer customers.
pub(super) const ALL: [Peer; 4] = [
    Peer { name: "simcore", source: Source::Crate, customers: "10000000", wanted: "1" },
    Peer { name: "desru", source: Source::Crate, customers: "10000000", wanted: "1" },
    Peer { name: "nexosim", source: Source::Crate, customers: "1000000", wanted: "4" },
    Peer {
        name: "simpy",
        source: Source::Python("simpy_queue.py"),
        customers: "1000000",
        wanted: "50",
    },
];

impl Peer {
    /// Fetches and builds it; the arguments of the bench that add it, or why it cannot be had.
    pub fn prepare(&self) -> Result<Vec<String>, String> {
        let (command, ready) = match self.source {
            Source::Crate => (format!("target/peers/release/{}", self.name), self.build()),
            Source::Python(file) => (format!("{PYTHON} xtask/peers/{file}"), install()),
        };
        if !ready {
            return Err(format!("{} is not in the table: it cannot be had", self.name));
        }
        let arguments = ["--peer", self.name, self.customers, &command, self.wanted];
        Ok(arguments.map(str::to_owned).to_vec())
    }

    fn build(&self) -> bool {
        let mut command = cargo(&["build", "--release", "--locked"]);
        command.args(["--manifest-path", "xtask/peers/Cargo.toml", "--target-dir", "target/peers"]);
        command.args(["--features", self.name, "--bin", self.name]);
        succeeds(command)
    }
}

/// Installs the Python packages into an environment of their own.
fn install() -> bool {
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let mut pip = program(crate::command::root().join(PYTHON), &install);
    pip.args(["--requirement", "xtask/peers/requirements.txt"]);
    succeeds(program("python3", &["-m", "venv", VENV])) && succeeds(pip)
}
