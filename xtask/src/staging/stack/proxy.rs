//! What the proxy says of a server.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::staging::failure::Failure;
use crate::staging::host::{Host, folder};

const PATIENCE: Duration = Duration::from_secs(2);
const STATUS: usize = 17;

/// What a server gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::staging) enum Standing {
    /// New requests.
    Serves,
    /// None but what it has.
    Drains,
    /// Nothing: it is in maintenance, or its checks fail.
    Out,
}

/// What a server gets; nothing if the proxy does not say.
pub(in crate::staging) fn standing(host: Host) -> Option<Standing> {
    standing_in(&ask(&socket(), "show stat app 4 -1").ok()?, host.name())
}

/// Gives the proxy a command.
pub(in crate::staging) fn tell_proxy(command: &str) -> Result<(), Failure> {
    let what = || format!("tell the proxy `{command}`");
    let said = ask(&socket(), command).map_err(|why| Failure::io(what(), why))?;
    if said.trim().is_empty() { Ok(()) } else { Err(Failure::said(what(), said.trim())) }
}

/// The proxy's own socket.
pub(in crate::staging) fn socket() -> PathBuf {
    folder().join("haproxy.sock")
}

/// What is answered to a command at this socket.
pub(in crate::staging) fn ask(socket: &Path, command: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{command}\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn standing_in(table: &str, server: &str) -> Option<Standing> {
    let rows = table.lines().map(|row| row.split(',').collect::<Vec<_>>());
    let status = rows.filter(|row| row.get(1) == Some(&server)).find_map(|row| {
        let status = row.get(STATUS)?;
        Some((*status).to_owned())
    })?;
    Some(match status.split(' ').next().unwrap_or_default() {
        "UP" | "no" => Standing::Serves,
        "DRAIN" => Standing::Drains,
        _ => Standing::Out,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_that_of_the_server() {
        let row = |name: &str, status: &str| format!("app,{name},{}{status},1\n", "0,".repeat(15));
        let table = format!("# head\n{}{}", row("app1", "UP 1/2"), row("app2", "MAINT"));
        assert_eq!(standing_in(&table, "app1"), Some(Standing::Serves));
        assert_eq!(standing_in(&table, "app2"), Some(Standing::Out));
        assert_eq!(standing_in(&table, "app3"), None);
        assert_eq!(standing_in(&row("app2", "DRAIN"), "app2"), Some(Standing::Drains));
    }
}
