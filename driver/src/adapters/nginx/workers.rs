//! The processes of an nginx, as the kernel knows them: its master and its workers.
//!
//! A master that reloads starts new workers, and tells those from before to leave once they have
//! answered what they have: from then on their title says so. A worker that died is replaced by one
//! with the configuration that the master has.

use std::collections::BTreeSet;
use std::path::Path;

use crate::adapters::processes;
use crate::ports::PortError;

const MASTER: &str = "nginx: master process";
const WORKER: &str = "nginx: worker process";
const LEAVES: &str = "nginx: worker process is shutting down";

/// How many masters may have started one another: an upgrade of nginx's program has two.
const MASTERS_MAX: usize = 4;

/// A process, by its number and the time of its start, as in [`processes::Stat`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Process {
    pub pid: u32,
    pub born: u64,
}

/// What the processes did when they were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Workers {
    /// All that a master has started, those among them that do not work yet.
    pub all: BTreeSet<Process>,
    /// Those that take new requests.
    pub serving: BTreeSet<Process>,
    /// Whether one of a former configuration still answers what it has.
    pub some_leave: bool,
}

impl Workers {
    /// Looks at the nginx whose master's number stands in `pid_file`.
    ///
    /// # Errors
    /// If it does not run.
    pub fn look(pid_file: &Path) -> Result<Self, PortError> {
        let masters = masters(pid_file)?;
        let mut found = Self::default();
        let processes = processes::all()
            .map_err(|why| PortError::refused(format!("the list of processes: {why}")))?;
        for (pid, stat) in processes {
            let is_child = masters.contains(&stat.parent) && !masters.contains(&pid);
            if !is_child || !stat.runs {
                continue;
            }
            let process = Process { pid, born: stat.born };
            found.all.insert(process);
            let title = title(pid);
            if title.starts_with(LEAVES) {
                found.some_leave = true;
            } else if title.starts_with(WORKER) {
                found.serving.insert(process);
            }
        }
        Ok(found)
    }

    /// Whether others serve now, and none of those from `before` takes anything new.
    pub fn have_replaced(&self, before: &Self) -> bool {
        !self.serving.is_empty() && self.serving.is_disjoint(&before.all)
    }
}

/// The master, and the masters that started it.
fn masters(pid_file: &Path) -> Result<Vec<u32>, PortError> {
    let at = pid_file.display();
    let text = std::fs::read_to_string(pid_file)
        .map_err(|why| PortError::unreachable(format!("nginx does not run: `{at}`: {why}")))?;
    let pid = text.trim().parse().ok().filter(|pid| title(*pid).starts_with(MASTER));
    let Some(pid) = pid else {
        let what = format!("nginx does not run: the process in `{at}` is not its master");
        return Err(PortError::unreachable(what));
    };
    let mut masters = vec![pid];
    let mut last = pid;
    while let Some(parent) = processes::stat(last).map(|stat| stat.parent)
        && masters.len() < MASTERS_MAX
        && title(parent).starts_with(MASTER)
    {
        masters.push(parent);
        last = parent;
    }
    Ok(masters)
}

/// How a process calls itself.
fn title(pid: u32) -> String {
    processes::words(pid).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_master_is_none() {
        let path = std::env::temp_dir().join(format!("tidegate-pid-{}", std::process::id()));
        for text in ["", "no number", "4294967295", &std::process::id().to_string()] {
            std::fs::write(&path, text).unwrap();
            let why = Workers::look(&path).unwrap_err();
            assert!(why.what.contains("is not its master"), "{text}: {why}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(Workers::look(&path).unwrap_err().what.starts_with("nginx does not run"));
    }

    #[test]
    fn workers_are_replaced_when_none_from_before_takes_anything_new() {
        let process = |pid| Process { pid, born: 1 };
        let workers = |all: &[u32], serving: &[u32]| Workers {
            all: all.iter().copied().map(process).collect(),
            serving: serving.iter().copied().map(process).collect(),
            some_leave: all.len() > serving.len(),
        };
        let before = workers(&[1, 2, 3], &[1, 2]);
        assert!(!before.have_replaced(&before));
        assert!(!workers(&[1, 2, 4], &[1, 2, 4]).have_replaced(&before), "both serve");
        assert!(!workers(&[1, 2], &[]).have_replaced(&before), "nobody serves yet");
        assert!(!workers(&[3, 4], &[3, 4]).have_replaced(&before), "3 had begun before");
        assert!(workers(&[1, 2, 4], &[4]).have_replaced(&before));
    }
}
