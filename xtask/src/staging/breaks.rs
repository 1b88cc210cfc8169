//! Ways to break the stack that a rehearsal must notice: each takes one thing away that a scale-up
//! or a scale-down rests on, in what surrounds the controller and not in it.

mod liar;

use std::path::PathBuf;

use clap::ValueEnum;
use tidegate_core::Span;

use super::cgroup;
use super::failure::Failure;
use super::host::Host;
use super::judge::Broken;
use super::order::Order;
use super::stack::{socket, tell_proxy};
use super::tell::word;

/// How the stack is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Break {
    /// The proxy says that the standby drains, and goes on to send it requests.
    NoDrain,
    /// The standby loses its power while it serves.
    PowerCut,
    /// Job workers are told to end together with what they forked.
    ControlGroup,
    /// The proxy sends requests to the standby as soon as that has power.
    ReadyBeforeHealth,
    /// The proxy sends a request again that a server took and did not answer, also one that is not
    /// idempotent; and the standby loses its power.
    ReplayPosts,
}

/// From when the standby serves until its power is cut.
const SERVED: Span = Span::from_secs(4);

impl Break {
    pub const ALL: [Self; 5] = [
        Self::NoDrain,
        Self::PowerCut,
        Self::ControlGroup,
        Self::ReadyBeforeHealth,
        Self::ReplayPosts,
    ];

    pub fn name(self) -> String {
        word(&self)
    }

    /// The property that owns it.
    pub const fn violates(self) -> &'static str {
        match self {
            Self::NoDrain => "drain-clean",
            Self::PowerCut => "no-failed-request",
            Self::ControlGroup | Self::ReplayPosts => "jobs-exactly-once",
            Self::ReadyBeforeHealth => "route-ready",
        }
    }

    /// What does not hold any more, as clients and jobs see it.
    pub const fn breaks(self) -> Broken {
        match self {
            Self::NoDrain | Self::PowerCut | Self::ReadyBeforeHealth => Broken::RequestsFailed,
            Self::ControlGroup => Broken::JobsLost,
            Self::ReplayPosts => Broken::JobsTwice,
        }
    }

    /// What becomes of it while the standby's power and its place in the proxy change: nothing more
    /// once it was done.
    pub fn act(self, is_on: bool, served: Option<Span>) -> Result<bool, Failure> {
        match self {
            Self::NoDrain | Self::ControlGroup => Ok(true),
            Self::PowerCut | Self::ReplayPosts => {
                let is_due = served.is_some_and(|served| served >= SERVED);
                if is_due { cgroup::kill(Host::App2).map(|()| true) } else { Ok(false) }
            }
            Self::ReadyBeforeHealth => {
                if is_on {
                    tell_proxy("disable health app/app2")?;
                    tell_proxy("set server app/app2 state ready")?;
                }
                Ok(is_on)
            }
        }
    }
}

/// What the proxy does with a request whose server did not answer it.
pub(super) const fn retries(broken: Option<Break>) -> &'static str {
    match broken {
        Some(Break::ReadyBeforeHealth) => "retries 0",
        Some(Break::ReplayPosts) => {
            "retries 3\n  option redispatch\n  retry-on all-retryable-errors"
        }
        _ => "retries 3\n  option redispatch",
    }
}

/// What lets the job workers of the standby end.
pub(super) const fn stop_workers(broken: Option<Break>) -> Order {
    match broken {
        Some(Break::ControlGroup) => Order::StopWorkerGroups,
        _ => Order::StopWorkers,
    }
}

/// The socket at which the controller finds the proxy.
pub(super) fn proxy_socket(broken: Option<Break>) -> Result<PathBuf, Failure> {
    let socket = socket();
    if broken == Some(Break::NoDrain) { liar::stand_before(socket) } else { Ok(socket) }
}
