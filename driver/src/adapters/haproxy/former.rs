//! The processes that a reload of `HAProxy` has replaced, which answer what they have.
//!
//! The API is the present process's and does not know them. It was started with their numbers
//! (`-sf`), by its master or by a script.

use super::socket::Socket;
use crate::adapters::processes::{Stat, stat, words};
use crate::ports::PortError;

/// The name of the program.
const NAME: &str = "haproxy";

/// Options behind which the numbers of former processes stand.
const FORMER: [&str; 2] = ["-sf", "-st"];

/// Whether one of them still runs. Where `HAProxy`'s processes are not to be seen from here, as
/// from another container, none is.
pub(super) async fn some_run(socket: &Socket) -> Result<bool, PortError> {
    let info = socket.ask("show info").await?;
    let pid = info.lines().find_map(|line| line.strip_prefix("Pid: ")?.trim().parse().ok());
    let Some((pid, present)) = pid.and_then(|pid| Some((pid, haproxy(pid)?))) else {
        return Ok(false);
    };
    let is_former = |former: &u32| {
        let old = haproxy(*former);
        *former != pid && old.is_some_and(|old| old.runs && old.born <= present.born)
    };
    Ok(numbers(&words(pid)).iter().any(is_former))
}

fn haproxy(pid: u32) -> Option<Stat> {
    stat(pid).filter(|stat| stat.name == NAME)
}

/// The numbers of former processes on a command line.
fn numbers(words: &[String]) -> Vec<u32> {
    let mut found = Vec::new();
    let mut is_listed = false;
    for word in words {
        match word.parse() {
            Ok(pid) if is_listed => found.push(pid),
            _ => is_listed = FORMER.contains(&&**word),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn former_processes_stand_on_the_command_line() {
        let numbers = |line: &str| numbers(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(numbers("haproxy -sf 7 8 -x sockpair@3 -W -f a.cfg"), [7, 8]);
        assert_eq!(numbers("haproxy -f 1.cfg -n 100 -st 9"), [9]);
        assert!(numbers("haproxy -sf").is_empty() && numbers("").is_empty());
    }
}
