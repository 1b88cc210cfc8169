//! Stands before the runtime API of the proxy and passes all on, but for the order to drain the
//! standby: that one it keeps to itself, and says from then on that the standby drains and is idle.

use std::path::PathBuf;

use crate::staging::failure::Failure;
use crate::staging::host::Host;
use crate::staging::relay;
use crate::staging::stack::ask;

const QUEUED: usize = 2;
const CURRENT: usize = 4;
const STATUS: usize = 17;

/// Listens on a socket of its own, and says which.
pub(super) fn stand_before(socket: PathBuf) -> Result<PathBuf, Failure> {
    let mut lies = false;
    relay::stand_before("liar.sock", socket, move |command, socket| {
        if relay::drains(command) {
            lies = true;
            return Ok("\n".to_owned());
        }
        if ["ready", "maint"].iter().any(|state| command == relay::state(state)) {
            lies = false;
        }
        let told = ask(socket, command)?;
        Ok(if lies { lie(&told) } else { told })
    })
}

fn lie(table: &str) -> String {
    let rows = table.lines().map(|row| row.split(',').collect::<Vec<_>>());
    let mut rows = rows.filter(|row| row.len() > STATUS && row[1] == Host::App2.name());
    let Some(mut fields) = rows.next() else { return table.to_owned() };
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
