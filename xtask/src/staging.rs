//! `cargo xtask staging`: a group on real software on this machine, and rehearsals of its scaling.
//!
//! Servers are network namespaces and control groups with gunicorn and RQ in them. Before them
//! stands `HAProxy`, beside them Redis and Prometheus; `tidegate live` scales them. All is gone
//! afterwards, however it ends. `docs/staging.md` is the manual.

mod breaks;
mod cgroup;
mod config;
mod controller;
mod controls;
mod exporter;
mod failure;
mod faults;
mod host;
mod interrupt;
mod jobs;
mod judge;
mod load;
mod lock;
mod machine;
mod net;
mod order;
mod play;
mod points;
mod postman;
mod predicted;
mod rehearse;
mod relay;
mod spawn;
mod stack;
mod tell;
mod tier;
mod vm;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use tidegate_core::Timestamp;

use config::{Scenario, Tempo};
use failure::Failure;
use host::Host;
use load::LoadArguments;
use order::Order;
pub(crate) use rehearse::RehearseArguments;
use stack::Stack;
use tier::Tier;

/// How long what was started may take to answer.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Brings the stack up, with its controller, and leaves it running.
    Up {
        /// What the standby is.
        #[arg(long, value_enum, default_value_t)]
        tier: Tier,
        /// The scenario whose policy the controller gets; without one, the stack's own.
        scenario: Option<PathBuf>,
    },
    /// Removes all of it, also what a run that was killed left.
    Down,
    /// Brings the stack up, drives a scenario's load against it, judges what happened, and removes
    /// all of it.
    Rehearse(RehearseArguments),
    /// Breaks the stack in each of the ways that a rehearsal must notice.
    Controls {
        #[command(flatten)]
        built: Built,
    },
    /// Lets each of the known faults befall the stack; all must come as the simulation says.
    Faults {
        #[command(flatten)]
        built: Built,
    },
    /// Is a server of the stack for as long as it runs.
    #[command(hide = true)]
    Machine {
        server: Host,
        /// It is the guest of a virtual machine.
        #[arg(long)]
        guest: bool,
    },
    /// Orders something of a server's services.
    #[command(hide = true)]
    Services {
        server: Host,
        order: Order,
        /// What the server is.
        #[arg(long, value_enum, default_value_t)]
        tier: Tier,
    },
    /// Delivers alerts' notifications late.
    #[command(hide = true)]
    Postman { late_ms: u64 },
    /// Drives a scenario's load.
    #[command(hide = true)]
    Load(LoadArguments),
}

/// Whether the program is taken as it is.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Built {
    /// Installs and builds nothing: both was done by who calls.
    #[arg(long, hide = true)]
    built: bool,
}

impl Built {
    /// Installs and builds what is missing.
    fn prepare(self) -> Result<(), Failure> {
        if self.built { Ok(()) } else { stack::prepare() }
    }
}

/// Does it: 0 done and all held, 1 something did not, 2 bad input or a stack that does not run.
pub(crate) fn run(task: Task) -> ExitCode {
    let done = match task {
        Task::Up { scenario, tier } => up(scenario.as_deref(), tier),
        Task::Down => lock::take().and_then(|lock| stack::remove().map(|()| lock.release())),
        Task::Rehearse(arguments) => return judged(rehearse::rehearse(&arguments)),
        Task::Controls { built } => return judged(controls::controls(built)),
        Task::Faults { built } => return judged(controls::faults(built)),
        Task::Machine { server, guest } => machine::run(server, guest),
        Task::Services { server, order, tier } => order::carry_out(server, order, tier),
        Task::Postman { late_ms } => postman::run(Duration::from_millis(late_ms)),
        Task::Load(arguments) => load::run(&arguments),
    };
    done.map_or_else(|why| failed(&why), |()| ExitCode::SUCCESS)
}

fn up(scenario: Option<&Path>, tier: Tier) -> Result<(), Failure> {
    let lock = lock::take()?;
    interrupt::watch()?;
    let scenario = Scenario::new(scenario, "rehearsal").read()?;
    stack::prepare()?;
    let mut stack = Stack::up(tier, None)?;
    let tempo = Tempo { start: Timestamp::from_nanos(tell::now()), speed: 1 };
    stack.host_controller(&scenario, tempo)?;
    interrupt::wait("the controller", PATIENCE, || Ok(controller::answers()?.then_some(())))?;
    tell::say(&format!(
        "the stack is up: `nsenter --net={} curl http://{}/ping` asks it; \
         `cargo xtask staging down` ends it",
        Host::Load.namespace().display(),
        Host::Proxy.address(),
    ));
    stack.leave();
    lock.release();
    Ok(())
}

fn judged(held: Result<bool, Failure>) -> ExitCode {
    match held {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => failed(&why),
    }
}

fn failed(why: &Failure) -> ExitCode {
    crate::command::complain(&failure::chain(why));
    ExitCode::from(2)
}
