//! Stands before the runtime API of the proxy: each command goes through it, and what it does with
//! one is given to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use tidegate_core::StepName;

use super::failure::Failure;
use super::host::{Host, folder};
use super::points::{self, Go, Side};

const STATUS: usize = 17;

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
                let told = answer(&command, &socket)?;
                client.get_mut().write_all(told.as_bytes())
            });
            // The controller asks again.
            drop(answered);
        }
    });
    Ok(own)
}

/// Asks the proxy itself.
pub(super) fn ask(socket: &Path, command: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(command.as_bytes())?;
    let mut told = String::new();
    stream.read_to_string(&mut told)?;
    Ok(told)
}

/// The fields of the standby's row in a table of the proxy.
pub(super) fn row(table: &str) -> Option<Vec<&str>> {
    let rows = table.lines().map(|row| row.split(',').collect::<Vec<_>>());
    rows.filter(|row| row.len() > STATUS).find(|row| row[1] == Host::App2.name())
}

/// Whether this orders the standby to drain, while it serves: to join, it is drained too.
pub(super) fn drains(command: &str, socket: &Path) -> std::io::Result<bool> {
    if command.trim() != state("drain") {
        return Ok(false);
    }
    let table = ask(socket, "show stat app 4 -1\n")?;
    Ok(row(&table).is_some_and(|row| row[STATUS].starts_with("UP")))
}

/// The command that sets the standby's state.
pub(super) fn state(state: &str) -> String {
    format!("set server app/{} state {state}", Host::App2.name())
}

/// Passes all on, and tells what has come to where.
pub(super) fn tell_points(socket: PathBuf) -> Result<PathBuf, Failure> {
    stand_before("points-proxy.sock", socket, |command, socket| {
        let step = if command.trim() == state("ready") {
            Some(StepName::Join)
        } else {
            drains(command, socket)?.then_some(StepName::Drain)
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
