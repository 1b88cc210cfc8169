//! Whether the programs that a configuration names are there. None of them is run.

use std::path::Path;

use tidegate_core::ServerId;

use super::Finding;
use crate::config::{ServersFile, SetupFile};

const PART: &str = "commands";

pub(super) fn findings(servers: &ServersFile, setup: Option<&SetupFile>) -> Vec<Finding> {
    let mut commands: Vec<(ServerId, &str, &[String])> = Vec::new();
    let workers = servers.workers();
    let standbys = || (0..).map(ServerId).skip(1);
    for (server, own) in standbys().zip(servers.services.iter().skip(1)) {
        commands.extend([(server, "start", &*own.start), (server, "stop", &*own.stop)]);
    }
    for (server, own) in standbys().zip(workers.servers.iter().skip(1)) {
        let given = [("RQ start", &own.start), ("RQ stop", &own.stop)];
        let given =
            given.into_iter().filter_map(|(name, one)| Some((server, name, one.as_deref()?)));
        commands.extend(given);
    }
    let machines = servers.process.iter().flat_map(|process| process.servers.iter().skip(1));
    for (server, own) in standbys().zip(machines) {
        commands.push((server, "machine", &own.command));
    }
    for (own, id) in setup.iter().flat_map(|setup| setup.servers.iter().zip(0..)) {
        let given = own.prepare.iter().map(|one| (ServerId(id), "prepare", &**one));
        commands.extend(given.chain(own.undo.iter().map(|one| (ServerId(id), "undo", &**one))));
    }
    let mut findings: Vec<_> = commands
        .iter()
        .filter_map(|(server, name, command)| absent(*server, name, command))
        .collect();
    if findings.is_empty() {
        let count = commands.len();
        findings.push(Finding::ok(PART, format!("the programs of {count} commands are there")));
    }
    findings
}

fn absent(server: ServerId, name: &str, command: &[String]) -> Option<Finding> {
    let Some(program) = command.first() else {
        let found = format!("the {name} command of {server} is empty");
        return Some(Finding::missing(PART, found, "name a program; `[\"true\"]` does nothing"));
    };
    if is_there(program) {
        return None;
    }
    let found = format!("the {name} command of {server} is `{program}`, which is not there");
    Some(Finding::missing(PART, found, "install it, or name it by its full path"))
}

fn is_there(program: &str) -> bool {
    if program.contains('/') {
        return Path::new(program).is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_told() {
        let given = |text: &str| vec![text.to_owned()];
        assert!(absent(ServerId(1), "start", &given("sh")).is_none());
        assert!(absent(ServerId(1), "start", &given("/bin/sh")).is_none());
        for (command, what) in [
            (given("tidegate-no-such-program"), "is not there"),
            (given("/none/such"), "is not there"),
            (Vec::new(), "is empty"),
        ] {
            let finding = absent(ServerId(1), "start", &command).unwrap();
            assert!(finding.found.contains(what), "{}", finding.found);
        }
    }
}
