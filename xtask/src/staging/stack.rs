//! The stack as a whole: what runs where, from its start to its end.

mod programs;
mod proxy;

use std::process::Child;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tidegate_sim::model::Model;

use crate::command::{cargo, succeeds};
use crate::packages;

use super::breaks::Break;
use super::config::{self, Alerting, Tempo};
use super::failure::{Failure, write};
use super::faults::Delivery;
use super::host::{Host, folder};
use super::order::{self, Order};
use super::tier::Tier;
use super::{cgroup, controller, interrupt, net, spawn, vm};

pub(super) use proxy::{Standing, ask, socket, standing, tell_proxy};

const PATIENCE: Duration = Duration::from_mins(1);

/// What is up is removed when this is dropped, unless it is left.
#[derive(Debug)]
pub(super) struct Stack {
    broken: Option<Break>,
    tier: Tier,
    /// Programs that this process has started, and has to reap.
    children: Vec<(String, Child)>,
    controller: Option<Child>,
    is_left: bool,
}

impl Stack {
    /// Removes what another run left, and starts all but monitoring and the controller. The
    /// primary serves when it is done.
    pub fn up(tier: Tier, broken: Option<Break>) -> Result<Self, Failure> {
        remove()?;
        clear()?;
        let mut stack =
            Self { broken, tier, children: Vec::new(), controller: None, is_left: false };
        let folder = folder();
        let storage = folder.join("storage");
        std::fs::create_dir_all(&storage)
            .map_err(|why| Failure::io(format!("make `{}`", storage.display()), why))?;
        write(&storage.join("shared.txt"), "what all servers read\n")?;
        net::make(tier)?;
        cgroup::make()?;
        if tier == Tier::Vm {
            vm::prepare()?;
            stack.start_storage()?;
        }
        stack.start_redis()?;
        let xtask = spawn::xtask()?;
        let machine = [&*xtask, "staging", "machine", Host::App1.name()];
        stack.start(Host::App1, "app1.machine", &machine)?;
        stack.start_proxy()?;
        order::give(Host::App1, Order::Start)?;
        let serves = || Ok((proxy::standing(Host::App1) == Some(Standing::Serves)).then_some(()));
        interrupt::wait("the primary", PATIENCE, serves)?;
        Ok(stack)
    }

    fn start(&mut self, host: Host, name: &str, program: &[&str]) -> Result<(), Failure> {
        self.children.push((name.to_owned(), spawn::start(host, name, program)?));
        Ok(())
    }

    /// Starts monitoring, and the controller with the scenario's policy.
    pub fn host_controller(&mut self, model: &Model, tempo: Tempo) -> Result<(), Failure> {
        config::live(model, tempo, self.broken, self.tier)?;
        self.start_monitoring(Alerting::of(model), Delivery::of(model))?;
        self.start_controller()
    }

    /// Kills the controller, if it runs.
    pub fn kill_controller(&mut self) -> Result<(), Failure> {
        let Some(mut child) = self.controller.take() else { return Ok(()) };
        let killed = child.kill().and_then(|()| child.wait());
        killed.map(drop).map_err(|why| Failure::io("kill the controller", why))
    }

    /// Starts the controller, on what it has stored; one that runs is left.
    pub fn start_controller(&mut self) -> Result<(), Failure> {
        if self.controller.is_some() {
            return Ok(());
        }
        let (tidegate, config) = (controller::tidegate(), controller::config());
        let program = [&*tidegate, "live", &config];
        self.controller = Some(spawn::start(Host::Mon, "controller", &program)?);
        Ok(())
    }

    /// Sends a signal to a program by the name of its log.
    pub fn signal(&self, name: &str, signal: Signal) -> Result<(), Failure> {
        let found = self.children.iter().find(|(own, _)| own == name);
        let pid = found.and_then(|(_, child)| Pid::from_raw(child.id().cast_signed()));
        let sent = pid.map(|pid| kill_process(pid, signal).map_err(std::io::Error::from));
        sent.unwrap_or(Ok(())).map_err(|why| Failure::io(format!("signal {name}"), why))
    }

    /// Ends a program by the name of its log.
    pub fn end(&mut self, name: &str) -> Result<(), Failure> {
        self.signal(name, Signal::TERM)?;
        let Some(index) = self.children.iter().position(|(own, _)| own == name) else {
            return Ok(());
        };
        let (_, mut child) = self.children.remove(index);
        let ended = || Ok((!matches!(child.try_wait(), Ok(None))).then_some(()));
        interrupt::wait(&format!("the end of {name}"), PATIENCE, ended)
    }

    /// Lets the standby stand still, or go on.
    pub fn freeze_standby(&self, frozen: bool) -> Result<(), Failure> {
        match self.tier {
            Tier::Plain => cgroup::freeze(Host::App2, frozen),
            Tier::Vm => vm::freeze(frozen),
        }
    }

    /// Whether the controller has ended by itself.
    pub fn has_lost_controller(&mut self) -> bool {
        self.controller.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None)))
    }

    /// Stops the controller, which finishes what it writes.
    pub fn stop_controller(&mut self) -> Result<(), Failure> {
        let Some(mut child) = self.controller.take() else { return Ok(()) };
        if let Some(pid) = Pid::from_raw(child.id().cast_signed()) {
            // One that has ended is as it should be.
            let _ = kill_process(pid, Signal::TERM);
        }
        let ended = || Ok((!matches!(child.try_wait(), Ok(None))).then_some(()));
        interrupt::wait("the controller's end", PATIENCE, ended)
    }

    /// Leaves it running.
    pub fn leave(mut self) {
        self.is_left = true;
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if self.is_left {
            return;
        }
        if let Err(why) = remove() {
            crate::command::complain(&super::failure::chain(&why));
        }
        for child in self.children.iter_mut().map(|(_, child)| child).chain(&mut self.controller) {
            // It was killed; this only takes its end to notice.
            let _ = child.wait();
        }
    }
}

/// Installs what it needs, and builds the program.
pub(super) fn prepare() -> Result<(), Failure> {
    if packages::install() && succeeds(cargo(&["build", "--locked", "-p", "tidegate"])) {
        return Ok(());
    }
    Err(Failure::said("prepare the stack", "what it runs is not there"))
}

/// Ends and removes all that there is of a stack, but for its folder, which tells what happened.
pub(super) fn remove() -> Result<(), Failure> {
    let ended = cgroup::remove();
    net::remove().and(ended)
}

/// Empties the folder of the stack.
fn clear() -> Result<(), Failure> {
    let folder = folder();
    match std::fs::remove_dir_all(&folder) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::io(format!("empty `{}`", folder.display()), why))
        }
        _ => Ok(()),
    }
}
