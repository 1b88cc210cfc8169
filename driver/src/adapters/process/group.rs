//! A process group: how it is begun, recognized and ended.

use std::fs;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use serde::{Deserialize, Serialize};

use super::ProcessServer;
use crate::adapters::processes::{self, Stat};

/// Enters the control group, if one is given, and waits for a word before it becomes the command;
/// without one it ends, so that nothing runs of which there is no line.
const HOLD: &str = "if [ -n \"$1\" ]; then echo $$ > \"$1/cgroup.procs\" || exit 1; fi
    shift; read word && exec \"$@\" < /dev/null";

/// The group's leader. Numbers are given anew; with the time of its start, one is never taken for
/// another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Group {
    leader: i32,
    /// When it began, in clock ticks since the machine did.
    born: u64,
}

impl Group {
    pub fn of(child: &Child) -> Self {
        let leader = child.id().cast_signed();
        Self { leader, born: stat(leader).map_or(0, |stat| stat.born) }
    }

    /// Whether one of its processes runs. While one does, no new process gets the leader's number.
    pub fn is_running(self) -> bool {
        match stat(self.leader) {
            Some(stat) if stat.born != self.born => false,
            Some(stat) if stat.runs => true,
            _ => Pid::from_raw(self.leader).is_some_and(|pid| test_kill_process_group(pid).is_ok()),
        }
    }

    pub fn terminate(self) {
        self.signal(Signal::TERM);
    }

    /// Ends it at once, as a cut of power does.
    pub fn kill(self, cgroup: Option<&Path>) {
        if let Some(cgroup) = cgroup {
            // Where the kernel has no such file, the process group is all there is.
            let _ = fs::write(cgroup.join("cgroup.kill"), "1");
        }
        self.signal(Signal::KILL);
    }

    fn signal(self, signal: Signal) {
        if self.is_running()
            && let Some(group) = Pid::from_raw(self.leader)
        {
            // It may have ended meanwhile, which is what was wanted.
            let _ = kill_process_group(group, signal);
        }
    }
}

fn stat(pid: i32) -> Option<Stat> {
    processes::stat(pid.try_into().ok()?)
}

/// A process that is to become the command, and waits.
pub(super) fn hold(server: &ProcessServer) -> io::Result<Child> {
    let cgroup = server.cgroup.as_deref().unwrap_or(Path::new(""));
    let mut command = Command::new("sh");
    command.args(["-c", HOLD, "sh"]).arg(cgroup).args(&server.command);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.process_group(0).spawn()
}

/// Lets it go on.
pub(super) fn begin(held: &mut Child) -> io::Result<()> {
    held.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(b"go\n"))
}
