//! What the stack can do of what goes wrong in a scenario, and how it does it.

use rustix::process::Signal;
use tidegate_core::{Span, StepName};
use tidegate_sim::model::{CrashPoint, FaultKind, Injection, Onset, SharedService};

use crate::staging::failure::Failure;
use crate::staging::stack::Stack;
use crate::staging::tier::Tier;

/// A kind of fault on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    KillController,
    FreezeStandby,
    Stall,
    RestartRedis,
    RestartProxy,
    StopMonitoring,
    /// Alertmanager has the receiver twice from the start.
    DoubleAlerts,
}

/// The kinds that the stack has a way to do.
const KNOWN: [(FaultKind, Act); 7] = [
    (FaultKind::ControllerKilled, Act::KillController),
    (FaultKind::ServerFrozen, Act::FreezeStandby),
    (FaultKind::Stalled, Act::Stall),
    (FaultKind::RedisRestarts, Act::RestartRedis),
    (FaultKind::ProxyRestarts, Act::RestartProxy),
    (FaultKind::MonitoringDown, Act::StopMonitoring),
    (FaultKind::AlertsTwice, Act::DoubleAlerts),
];

impl Act {
    /// What a fault is on the stack, in this tier.
    ///
    /// # Errors
    /// If the stack has no way to do it.
    pub fn of(fault: &Injection, tier: Tier) -> Result<Self, Failure> {
        let found = KNOWN.iter().find(|(kind, _)| *kind == fault.kind);
        let why = if let Some((_, act)) = found {
            let Some(why) = act.refusal(fault, tier) else { return Ok(*act) };
            why.to_owned()
        } else {
            let known: Vec<_> = KNOWN.iter().map(|(kind, _)| kind.name()).collect();
            format!("it has no way to: it can do {}", known.join(", "))
        };
        let what = format!("play the fault `{}` on the stack", fault.kind.name());
        Err(Failure::said(what, why))
    }

    fn refusal(self, fault: &Injection, tier: Tier) -> Option<&'static str> {
        let step = match fault.onset {
            Onset::Command { step, nth: 1, .. } => Some(step),
            Onset::At(_) => None,
            Onset::Every(_) | Onset::Command { .. } => {
                return Some("it must begin at a time or with the first command of a step");
            }
        };
        // There the machine's power is its kernel's matter: nothing of the stack's own is asked.
        let is_power = matches!(step, Some(StepName::PowerOn | StepName::PowerOff));
        if tier == Tier::Vm && is_power {
            return Some("in tier vm `power-on` and `power-off` are not seen: take another step");
        }
        let is_before = step.is_some() && fault.point == CrashPoint::Before;
        match self {
            Self::KillController => is_before.then_some(
                "of a step that is not stored the stack sees nothing: its point is `stored` or \
                 `acted`",
            ),
            Self::Stall => match fault.service {
                SharedService::Redis => None,
                SharedService::Nfs if tier == Tier::Vm => None,
                SharedService::Nfs => {
                    Some("there is a network storage in tier vm alone: add `--tier vm`")
                }
                SharedService::Database => Some("the stack has no database"),
            },
            Self::RestartRedis => (!fault.keeps_data).then_some("the stack's Redis keeps its data"),
            Self::DoubleAlerts => {
                (fault.onset != Onset::At(Span::ZERO)).then_some("it is on throughout: at = \"0s\"")
            }
            Self::FreezeStandby | Self::RestartProxy | Self::StopMonitoring => None,
        }
    }

    pub fn begin(self, fault: &Injection, stack: &mut Stack) -> Result<(), Failure> {
        match self {
            Self::KillController => stack.kill_controller(),
            Self::FreezeStandby => stack.freeze_standby(true),
            Self::Stall => stack.signal(service(fault), Signal::STOP),
            Self::RestartRedis => stack.end("redis"),
            Self::RestartProxy => stack.replace_proxy(),
            Self::StopMonitoring => {
                stack.signal("prometheus", Signal::STOP)?;
                stack.signal("alertmanager", Signal::STOP)
            }
            Self::DoubleAlerts => Ok(()),
        }
    }

    pub fn end(self, fault: &Injection, stack: &mut Stack) -> Result<(), Failure> {
        match self {
            Self::KillController => stack.start_controller(),
            Self::FreezeStandby => stack.freeze_standby(false),
            Self::Stall => stack.signal(service(fault), Signal::CONT),
            Self::RestartRedis => stack.start_redis(),
            Self::StopMonitoring => {
                stack.signal("alertmanager", Signal::CONT)?;
                stack.signal("prometheus", Signal::CONT)
            }
            Self::RestartProxy | Self::DoubleAlerts => Ok(()),
        }
    }
}

/// The program that a shared service is.
const fn service(fault: &Injection) -> &'static str {
    match fault.service {
        SharedService::Nfs => "storage",
        SharedService::Redis | SharedService::Database => "redis",
    }
}
