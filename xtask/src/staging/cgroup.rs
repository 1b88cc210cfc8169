//! Control groups of the hosts: what a server may use, what it has used, and its power cut.
//!
//! One of version 2 for each host, whose `cgroup.kill` ends all in it at once, and for servers
//! those of version 1 that limit cores and memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::failure::{Failure, read, write};
use super::host::{CORE, Host};

const NAME: &str = "tidegate-staging";
const MOUNTS: &str = "/sys/fs/cgroup";
const PERIOD_US: f64 = 20_000.0;
/// What a server has, in bytes.
const MEMORY: u64 = 1 << 30;
const PATIENCE: Duration = Duration::from_secs(10);
/// How far below a controller's mount a container's own group may lie.
const DEPTH: u8 = 3;

/// The group of version 2 of a host.
pub(super) fn unified(host: Host) -> PathBuf {
    unified_root().join(host.name())
}

fn unified_root() -> PathBuf {
    Path::new(MOUNTS).join("unified").join(NAME)
}

/// Below this process's own group: elsewhere a container may not be allowed to make one.
fn controlled(controller: &str, name: &str) -> PathBuf {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = own.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        controllers.split(',').any(|one| one == controller).then_some(path)
    });
    let own = own.unwrap_or("/").trim_start_matches('/');
    // A server's own processes are in the group that is looked for.
    let own = own.split(NAME).next().unwrap_or_default();
    Path::new(MOUNTS).join(controller).join(own).join(NAME).join(name)
}

const CONTROLLERS: [&str; 3] = ["cpu", "cpuacct", "memory"];

/// All groups that a process of this host belongs into.
pub(super) fn all(host: Host) -> Vec<PathBuf> {
    let controllers = if host.is_server() { &CONTROLLERS[..] } else { &[] };
    let mut all: Vec<_> = controllers.iter().map(|one| controlled(one, host.name())).collect();
    all.push(unified(host));
    all
}

/// Makes all groups, with their limits.
pub(super) fn make() -> Result<(), Failure> {
    for host in Host::ALL {
        for group in all(host) {
            let failed =
                |why| Failure::io(format!("make the control group `{}`", group.display()), why);
            fs::create_dir_all(&group).map_err(failed)?;
        }
    }
    for host in Host::SERVERS {
        let [cpu, _, memory] = CONTROLLERS.map(|one| controlled(one, host.name()));
        write(&cpu.join("cpu.cfs_period_us"), PERIOD_US.to_string())?;
        write(&cpu.join("cpu.cfs_quota_us"), (PERIOD_US * CORE).to_string())?;
        write(&memory.join("memory.limit_in_bytes"), MEMORY.to_string())?;
    }
    Ok(())
}

/// Ends all processes of all hosts and removes the groups, wherever a run has made them.
pub(super) fn remove() -> Result<(), Failure> {
    let root = unified_root();
    if root.exists() {
        write(&root.join("cgroup.kill"), "1")?;
    }
    let end = Instant::now() + PATIENCE;
    let controlled = CONTROLLERS.iter().map(|one| Path::new(MOUNTS).join(one));
    for root in controlled.flat_map(|mount| made_below(&mount, DEPTH)).chain([root]) {
        for host in Host::ALL {
            remove_one(&root.join(host.name()), end)?;
        }
        remove_one(&root, end)?;
    }
    Ok(())
}

/// The groups that bear the stack's name.
fn made_below(folder: &Path, depth: u8) -> Vec<PathBuf> {
    let folders = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = folders.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut found = Vec::new();
    for path in folders.map(|entry| entry.path()) {
        if path.ends_with(NAME) {
            found.push(path);
        } else if depth > 0 {
            found.extend(made_below(&path, depth - 1));
        }
    }
    found
}

/// A group can be removed once what was in it has ended.
fn remove_one(group: &Path, end: Instant) -> Result<(), Failure> {
    while group.exists() {
        match fs::remove_dir(group) {
            Ok(()) => {}
            Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(20)),
            Err(why) => {
                let what = format!("remove the control group `{}`", group.display());
                return Err(Failure::io(what, why));
            }
        }
    }
    Ok(())
}

/// Ends all processes of a host at once, as a cut of power does.
pub(super) fn kill(host: Host) -> Result<(), Failure> {
    write(&unified(host).join("cgroup.kill"), "1")
}

/// What a server has used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    /// Seconds of this machine's cores.
    pub cpu_s: f64,
    /// Bytes of memory that cannot be taken back.
    pub memory: u64,
    /// Bytes of memory that it may use.
    pub memory_limit: u64,
}

/// Reads what a server has used.
pub(super) fn used(host: Host) -> Result<Used, Failure> {
    let [_, cpuacct, memory] = CONTROLLERS.map(|one| controlled(one, host.name()));
    let number = |path: PathBuf| {
        let text = read(&path)?;
        let wrong = |_| Failure::said(format!("read `{}`", path.display()), "not a number");
        text.trim().parse::<u64>().map_err(wrong)
    };
    let statistics = read(&memory.join("memory.stat"))?;
    let inactive = statistics.lines().find_map(|line| line.strip_prefix("total_inactive_file "));
    let inactive = inactive.and_then(|bytes| bytes.parse::<u64>().ok()).unwrap_or(0);
    Ok(Used {
        cpu_s: number(cpuacct.join("cpuacct.usage"))? as f64 / 1e9,
        memory: number(memory.join("memory.usage_in_bytes"))?.saturating_sub(inactive),
        memory_limit: number(memory.join("memory.limit_in_bytes"))?,
    })
}
