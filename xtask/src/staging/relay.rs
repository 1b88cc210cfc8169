//! Stands before the runtime API of the proxy: each command goes through it, and what it does with
//! one is given to it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use tidegate_core::StepName;

use super::failure::Failure;
use super::host::{Host, folder};
use super::points::{self, Go, Side};
use super::stack::{Standing, ask, standing};

/// Listens on a socket of its own, on a thread of its own, and says which. A command that has no
/// answer ends its connection.
pub(super) fn stand_before(
    own: &str,
    socket: PathBuf,
    mut answer: impl FnMut(&str, &Path) -> std::io::Result<String> + Send + 'static,
) -> Result<PathBuf, Failure> {
    let own = folder().join(own);
    let failed = |why| Failure::io(format!("listen on `{}`", own.display()), why);
    let listener = UnixListener::bind(&own).map_err(failed)?;
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let mut client = BufReader::new(client);
            let mut command = String::new();
            let answered = client.read_line(&mut command).and_then(|_| {
                let told = answer(command.trim(), &socket)?;
                client.get_mut().write_all(told.as_bytes())
            });
            // The controller asks again.
            drop(answered);
        }
    });
    Ok(own)
}

/// Whether this orders the standby to drain, while it serves: to join, it is drained too.
pub(super) fn drains(command: &str) -> bool {
    command == state("drain") && standing(Host::App2) == Some(Standing::Serves)
}

/// The command that sets the standby's state.
pub(super) fn state(state: &str) -> String {
    format!("set server app/{} state {state}", Host::App2.name())
}

/// Passes all on, and tells what has come to where.
pub(super) fn tell_points(socket: PathBuf) -> Result<PathBuf, Failure> {
    stand_before("points-proxy.sock", socket, |command, socket| {
        let step = if command == state("ready") {
            Some(StepName::Join)
        } else {
            drains(command).then_some(StepName::Drain)
        };
        let Some(step) = step else { return ask(socket, command) };
        if points::pass(step, Side::Before) == Go::Nowhere {
            return Err(std::io::ErrorKind::ConnectionAborted.into());
        }
        let told = ask(socket, command)?;
        points::pass(step, Side::After);
        Ok(told)
    })
}
