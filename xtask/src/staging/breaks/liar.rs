//! Stands before the runtime API of the proxy and passes all on, but for the order to drain the
//! standby: that one it keeps to itself, and says from then on that the standby drains and is idle.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::staging::failure::Failure;
use crate::staging::host::folder;

const NAME: &str = "app2";
const QUEUED: usize = 2;
const CURRENT: usize = 4;
const STATUS: usize = 17;

/// Listens on a socket of its own, on a thread of its own, and says which.
pub(super) fn stand_before(socket: PathBuf) -> Result<PathBuf, Failure> {
    let own = folder().join("liar.sock");
    let failed = |why| Failure::io(format!("listen on `{}`", own.display()), why);
    let listener = UnixListener::bind(&own).map_err(failed)?;
    std::thread::spawn(move || {
        let mut lies = false;
        for client in listener.incoming().flatten() {
            // The controller asks again.
            let _ = answer(client, &socket, &mut lies);
        }
    });
    Ok(own)
}

fn answer(client: UnixStream, socket: &Path, lies: &mut bool) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    let mut command = String::new();
    client.read_line(&mut command)?;
    let serves = |table: &str| row(table).is_some_and(|row| row[STATUS].starts_with("UP"));
    if command.trim() == format!("set server app/{NAME} state drain")
        && serves(&ask(socket, "show stat app 4 -1\n")?)
    {
        *lies = true;
        return client.get_mut().write_all(b"\n");
    }
    let ends = [
        format!("set server app/{NAME} state ready"),
        format!("set server app/{NAME} state maint"),
    ];
    if ends.iter().any(|end| command.trim() == end) {
        *lies = false;
    }
    let told = ask(socket, &command)?;
    let told = if *lies { lie(&told) } else { told };
    client.get_mut().write_all(told.as_bytes())
}

fn ask(socket: &Path, command: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(command.as_bytes())?;
    let mut told = String::new();
    stream.read_to_string(&mut told)?;
    Ok(told)
}

fn row(table: &str) -> Option<Vec<&str>> {
    let rows = table.lines().map(|row| row.split(',').collect::<Vec<_>>());
    rows.filter(|row| row.len() > STATUS).find(|row| row[1] == NAME)
}

fn lie(table: &str) -> String {
    let Some(mut fields) = row(table) else { return table.to_owned() };
    let truth = fields.join(",");
    (fields[QUEUED], fields[CURRENT], fields[STATUS]) = ("0", "0", "DRAIN");
    table.replace(&truth, &fields.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lies_of_the_standby_alone() {
        let line = |name: &str, busy: u8, status: &str| {
            format!("app,{name},{busy},1,{busy},{}{status},9\n", "7,".repeat(12))
        };
        let truth = line("app1", 3, "UP") + &line("app2", 3, "UP");
        assert_eq!(lie(&truth), line("app1", 3, "UP") + &line("app2", 0, "DRAIN"));
    }
}
