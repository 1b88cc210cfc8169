//! Faults that a rehearsal must outlast: a part of the stack stands still for a while.

use clap::ValueEnum;
use rustix::process::Signal;
use tidegate_core::Span;

use super::cgroup;
use super::failure::Failure;
use super::host::Host;
use super::stack::Stack;
use super::tell::say;

/// What stands still, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// The standby, while its services start.
    FreezeWarming,
    /// The standby, while it serves.
    FreezeServing,
    /// The standby, while its requests in flight and its jobs end.
    FreezeDraining,
    /// Prometheus, from when the standby serves until after the load has fallen.
    PrometheusDown,
}

/// From when the standby serves until the fault begins.
const SERVED: Span = Span::from_secs(2);

impl Fault {
    /// The stack's own scenario in which it matters.
    pub const fn scenario(self) -> &'static str {
        match self {
            Self::PrometheusDown => "rehearsal",
            Self::FreezeWarming | Self::FreezeServing | Self::FreezeDraining => "controls",
        }
    }

    pub const fn lasts(self) -> Span {
        match self {
            Self::PrometheusDown => Span::from_secs(30),
            // Less than the proxy's checks take to give a server up: then requests would fail.
            Self::FreezeWarming | Self::FreezeServing | Self::FreezeDraining => Span::from_secs(3),
        }
    }

    /// Whether it is to begin, where the standby is on, serves for so long, and ever has.
    pub fn is_due(self, is_on: bool, served: Option<Span>, has_served: bool) -> bool {
        match self {
            Self::FreezeWarming => is_on && !has_served,
            Self::FreezeServing | Self::PrometheusDown => {
                served.is_some_and(|served| served >= SERVED)
            }
            Self::FreezeDraining => is_on && has_served && served.is_none(),
        }
    }

    pub fn begin(self, stack: &Stack) -> Result<(), Failure> {
        say(&format!("a fault begins, for {}: {self:?}", self.lasts()));
        match self {
            Self::PrometheusDown => stack.signal("prometheus", Signal::STOP),
            Self::FreezeWarming | Self::FreezeServing | Self::FreezeDraining => {
                cgroup::freeze(Host::App2, true)
            }
        }
    }

    pub fn end(self, stack: &Stack) -> Result<(), Failure> {
        match self {
            Self::PrometheusDown => stack.signal("prometheus", Signal::CONT),
            Self::FreezeWarming | Self::FreezeServing | Self::FreezeDraining => {
                cgroup::freeze(Host::App2, false)
            }
        }
    }
}
