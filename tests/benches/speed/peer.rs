//! Other simulators, each a program that simulates the queue with eight servers, a mean service
//! time of 1 and 6.4 arrivals in it.
//!
//! It is given a number of customers, and prints the seconds that it took, the mean and the 99th
//! percentile of their waits in service times.

use std::path::Path;
use std::process::Command;

use crate::contest::{Contestant, Run};

const SERVICE_MS: f64 = 100.0;

#[derive(Clone, Debug)]
pub(crate) struct Peer {
    name: String,
    customers: u64,
    /// Program and arguments, seen from the root of the workspace.
    command: Vec<String>,
    wanted: f64,
}

impl Peer {
    /// Reads NAME, CUSTOMERS, COMMAND and how many times as fast the simulator has to be.
    pub fn read(given: &mut impl Iterator<Item = String>) -> Result<Self, String> {
        let mut next = |what: &str| given.next().ok_or_else(|| format!("--peer lacks its {what}"));
        let name = next("name")?;
        let number = |text: String| text.parse().map_err(|_| format!("`{text}` is no number"));
        let (customers, command) = (number(next("customers")?)?, next("command")?);
        let wanted = next("ratio")?;
        let wanted = wanted.parse().map_err(|_| format!("`{wanted}` is no ratio"))?;
        let command = command.split_whitespace().map(str::to_owned).collect();
        Ok(Self { name, customers, command, wanted })
    }

    /// For a short run, a tenth of the customers.
    pub fn contestant(&self, quick: bool) -> Contestant {
        let customers = if quick { self.customers / 10 } else { self.customers };
        let (peer, name) = (self.clone(), self.name.clone());
        let run = Box::new(move || peer.run(customers));
        Contestant { name, wanted: vec![("required", self.wanted)], run }
    }

    fn run(&self, customers: u64) -> Result<Run, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let program = root.join(&self.command[0]);
        let mut command = Command::new(&program);
        command.args(&self.command[1..]).arg(customers.to_string()).current_dir(&root);
        let output =
            command.output().map_err(|why| format!("{} does not run: {why}", program.display()))?;
        if !output.status.success() {
            return Err(format!("failed: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let numbers: Vec<f64> =
            text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [seconds, mean, p99] = numbers[..] else {
            return Err(format!("printed `{}`, not three numbers", text.trim()));
        };
        let (mean_ms, p99_ms) = (mean * SERVICE_MS, p99 * SERVICE_MS);
        Ok(Run { seconds, requests: customers, events: None, mean_ms, p99_ms })
    }
}
