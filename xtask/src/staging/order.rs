//! Orders of a server's services: a word over a socket of the server, and its answer.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use tidegate_core::StepName;

use super::failure::Failure;
use super::host::Host;
use super::points::{self, Go, Side};
use super::tell::word;
use super::tier::Tier;
use super::vm;

/// What is ordered. A server where it is so already does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// The web server and the job workers run.
    Start,
    /// They finish what they do and end; the answer comes once they have.
    Stop,
    /// The job workers run.
    StartWorkers,
    /// They finish their job and end; nobody waits for that.
    StopWorkers,
    /// The same, but what they forked is told too, as by systemd's `KillMode=control-group`.
    StopWorkerGroups,
}

pub(super) const DONE: &str = "done";
/// A machine that was just switched on does not listen yet.
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);

impl Order {
    pub fn word(self) -> String {
        word(&self)
    }

    /// The command that is carried out by it.
    const fn step(self) -> StepName {
        match self {
            Self::Start => StepName::StartServices,
            Self::Stop => StepName::StopServices,
            Self::StartWorkers => StepName::ResumeJobs,
            Self::StopWorkers | Self::StopWorkerGroups => StepName::QuiesceJobs,
        }
    }
}

/// Gives an order of the controller's.
pub(super) fn carry_out(server: Host, order: Order, tier: Tier) -> Result<(), Failure> {
    let step = order.step();
    if points::pass(step, Side::Before) == Go::On {
        match tier {
            Tier::Plain => give(server, order)?,
            Tier::Vm => vm::give(server, order)?,
        }
        points::pass(step, Side::After);
    }
    Ok(())
}

/// Gives an order and waits for its end.
pub(super) fn give(server: Host, order: Order) -> Result<(), Failure> {
    let word = order.word();
    let what = || format!("order `{word}` of {}", server.name());
    let mut stream = connect(server).map_err(|why| Failure::io(what(), why))?;
    let mut answer = String::new();
    stream
        .write_all(format!("{word}\n").as_bytes())
        .and_then(|()| BufReader::new(stream).read_line(&mut answer))
        .map_err(|why| Failure::io(what(), why))?;
    match answer.trim() {
        DONE => Ok(()),
        why => Err(Failure::said(what(), why)),
    }
}

fn connect(server: Host) -> std::io::Result<UnixStream> {
    let end = Instant::now() + PATIENCE;
    loop {
        match UnixStream::connect(server.orders()) {
            Err(_) if Instant::now() < end => std::thread::sleep(POLL),
            done => return done,
        }
    }
}
