pub mod ec2;
pub mod http;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process_group};
use tidegate_core::{Failure, Power, ServerId, Span, Timestamp};
use tidegate_driver::adapters::process::{ProcessConfig, ProcessServer, Processes};
use tidegate_driver::ports::{Accepted, Provider};

use crate::support::{Folder, ask, clock, eventually, fake, order};

const STANDBY: ServerId = ServerId(1);

async fn power(provider: &dyn Provider) -> Power {
    let states = provider.power(ask()).await.unwrap();
    states.into_iter().find(|state| state.server == STANDBY).unwrap().power.value
}

async fn becomes(provider: &dyn Provider, wanted: Power) {
    eventually("its power", async || (power(provider).await == wanted).then_some(())).await;
}

async fn changes(provider: &dyn Provider) -> Vec<bool> {
    let changes = provider.changes(Timestamp::from_nanos(0), ask()).await.unwrap();
    assert!(changes.is_sorted_by_key(|change| change.at));
    changes.into_iter().filter(|change| change.server == STANDBY).map(|change| change.on).collect()
}

async fn keeps_the_contract(provider: &dyn Provider) {
    assert_eq!(power(provider).await, Power::Off);
    let on = async |generation| {
        provider.power_on(order(STANDBY, generation)).await.map_err(|e| e.failure)
    };
    let off = async |generation| {
        provider.power_off(order(STANDBY, generation)).await.map_err(|e| e.failure)
    };
    off(1).await.unwrap();
    for _ in 0..2 {
        on(2).await.unwrap();
        becomes(provider, Power::On).await;
    }
    assert_eq!(changes(provider).await, [true], "it is not started again");
    assert_eq!(off(1).await, Err(Failure::Fenced));
    for _ in 0..2 {
        off(3).await.unwrap();
        becomes(provider, Power::Off).await;
    }
    assert_eq!(on(2).await, Err(Failure::Fenced));
    assert_eq!(changes(provider).await, [true, false]);
    let stranger = provider.power_on(order(ServerId(9), 4)).await.map_err(|why| why.failure);
    assert_eq!(stranger, Err(Failure::Refused));
}

/// Commands in place of machines; what a test leaves running is killed at its end.
struct Machines {
    folder: Folder,
    processes: Processes,
}

impl Machines {
    fn of(text: &str, grace: Span) -> Self {
        let folder = Folder::new();
        let processes = Self::provider(&folder.path("log"), text, grace);
        Self { folder, processes }
    }

    fn provider(log: &Path, text: &str, grace: Span) -> Processes {
        let command = ["sh", "-c", text].map(str::to_owned).into();
        let server = ProcessServer { command, cgroup: None, console: None };
        let servers = vec![server.clone(), server];
        Processes::new(ProcessConfig { log: log.to_owned(), servers, grace }, clock())
    }
}

impl Machines {
    /// A kernel of its own whose first process halts it upon SIGINT.
    fn user_mode_linux() -> Self {
        let folder = Folder::new();
        let init = folder.write("init", INIT);
        std::fs::set_permissions(&init, PermissionsExt::from_mode(0o755)).unwrap();
        let here = folder.path("").display().to_string();
        let words = format!(
            "linux.uml umid=standby uml_dir={here} mem=64M root=/dev/root rootfstype=hostfs \
             rootflags=/ ro init={} con0=null,null con=null ssl=null quiet",
            init.display()
        );
        let command = words.split_whitespace().map(str::to_owned).collect();
        let console = Some(folder.path("standby/mconsole"));
        let server = ProcessServer { command, cgroup: None, console };
        let primary = ProcessServer { command: Vec::new(), cgroup: None, console: None };
        let (log, servers) = (folder.path("log"), vec![primary, server]);
        // Longer than a test waits: it has to shut itself down.
        let grace = Span::from_mins(5);
        let processes = Processes::new(ProcessConfig { log, servers, grace }, clock());
        Self { folder, processes }
    }
}

/// Its file system is this machine's, which it only reads. The second line takes the power
/// button.
const INIT: &str = "#!/bin/bash
mount -t proc proc /proc && echo 0 > /proc/sys/kernel/ctrl-alt-del
trap 'halt -f' INT
while :; do sleep 1 & wait; done
";

impl Drop for Machines {
    fn drop(&mut self) {
        let text = std::fs::read_to_string(self.folder.path("log")).unwrap_or_default();
        let mut lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        let last = lines.rfind(|line: &serde_json::Value| line["server"] == 1);
        let runs = last.filter(|line| line["event"] != "off");
        let leader = runs.and_then(|line| line["group"]["leader"].as_i64());
        if let Some(group) = leader.and_then(|leader| Pid::from_raw(leader as i32)) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    keeps_the_contract(&*fake()).await;
}

#[tokio::test]
async fn processes_keep_the_contract() {
    let machines = Machines::of("sleep 60 & wait", Span::from_secs(10));
    keeps_the_contract(&machines.processes).await;
}

#[tokio::test]
async fn a_machine_that_is_stopped_while_it_boots_is_off() {
    let machines = Machines::user_mode_linux();
    let provider = &machines.processes;
    assert_eq!(provider.power_on(order(STANDBY, 1)).await, Ok(Accepted::Underway));
    provider.power_off(order(STANDBY, 2)).await.unwrap();
    becomes(provider, Power::Off).await;
}

#[tokio::test]
async fn machines_that_boot_a_kernel_keep_the_contract() {
    let machines = Machines::user_mode_linux();
    keeps_the_contract(&machines.processes).await;
}

#[tokio::test]
async fn what_does_not_stop_is_killed_with_all_that_it_started() {
    let machines = Machines::of("trap '' TERM; sleep 60 & sleep 60", Span::from_millis(100));
    machines.processes.power_on(order(STANDBY, 1)).await.unwrap();
    machines.processes.power_off(order(STANDBY, 2)).await.unwrap();
    becomes(&machines.processes, Power::Off).await;
    assert_eq!(changes(&machines.processes).await, [true, false]);
}

#[tokio::test]
async fn another_controller_finds_what_runs_and_what_ended_by_itself() {
    let machines = Machines::of("sleep 60 & wait", Span::from_secs(10));
    machines.processes.power_on(order(STANDBY, 5)).await.unwrap();
    let log = machines.folder.path("log");
    // A line that was not written to its end.
    let mut torn = std::fs::read(&log).unwrap();
    torn.extend(b"{\"server\":1,\"ev");
    std::fs::write(&log, torn).unwrap();
    let other = Machines::provider(&log, "true", Span::from_secs(10));
    assert_eq!(power(&other).await, Power::On);
    let late = other.power_off(order(STANDBY, 4)).await.map_err(|why| why.failure);
    assert_eq!(late, Err(Failure::Fenced));
    other.power_off(order(STANDBY, 6)).await.unwrap();
    // The first one has to reap it, as init does after its end.
    becomes(&machines.processes, Power::Off).await;
    other.power_on(order(STANDBY, 7)).await.unwrap();
    becomes(&other, Power::Off).await;
    assert_eq!(changes(&other).await, [true, false, true, false]);
}
