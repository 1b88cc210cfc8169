//! Faults with a name, for scenarios of the stack's own.

use clap::ValueEnum;

use crate::staging::tell::word;
use crate::staging::tier::Tier;

/// What goes wrong, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Named {
    /// The standby stands still while its services start.
    FreezeWarming,
    /// The standby stands still while it serves.
    FreezeServing,
    /// The standby stands still while its requests in flight and its jobs end.
    FreezeDraining,
    /// Redis stands still.
    RedisStalled,
    /// Redis starts anew, with its data.
    RedisRestarts,
    /// The proxy starts anew, by its file, in which the standby has not joined.
    ProxyRestarts,
    /// The storage stands still, while the standby serves and drains: in tier vm alone.
    StorageStalled,
    /// Prometheus and Alertmanager stand still, from when the standby serves until after the load
    /// has fallen.
    MonitoringDown,
    /// Each notification of an alert comes twice.
    AlertsTwice,
    /// Each notification of an alert comes six seconds late.
    AlertsLate,
}

impl Named {
    /// All of them, each in its tier; freezes in tier vm too, where a kernel stands still.
    pub fn all() -> Vec<(Self, Tier)> {
        let own = Self::value_variants().iter().map(|one| (*one, one.tier()));
        let freezes = [Self::FreezeWarming, Self::FreezeServing, Self::FreezeDraining];
        own.chain(freezes.map(|freeze| (freeze, Tier::Vm))).collect()
    }

    pub fn name(self) -> String {
        word(&self)
    }

    /// The stack's own scenario in which it matters.
    pub const fn scenario(self, tier: Tier) -> &'static str {
        if matches!(tier, Tier::Vm) {
            return "machine";
        }
        match self {
            Self::MonitoringDown | Self::AlertsTwice | Self::AlertsLate | Self::StorageStalled => {
                "rehearsal"
            }
            Self::FreezeWarming
            | Self::FreezeServing
            | Self::FreezeDraining
            | Self::RedisStalled
            | Self::RedisRestarts
            | Self::ProxyRestarts => "controls",
        }
    }

    /// The tier that has what it befalls.
    pub const fn tier(self) -> Tier {
        if matches!(self, Self::StorageStalled) { Tier::Vm } else { Tier::Plain }
    }

    /// What is changed in the scenario.
    pub const fn set(self) -> &'static str {
        match self {
            Self::FreezeWarming => {
                "fault=[{kind='server-frozen', step='start-services', nth=1, after='1s', for='3s'}]"
            }
            Self::FreezeServing => {
                "fault=[{kind='server-frozen', step='join', nth=1, after='3s', for='3s'}]"
            }
            Self::FreezeDraining => {
                "fault=[{kind='server-frozen', step='drain', nth=1, after='1s', for='3s'}]"
            }
            Self::RedisStalled => {
                "fault=[{kind='stalled', service='redis',step='join', nth=1, after='2s', for='2s'}]"
            }
            Self::RedisRestarts => {
                "fault=[{kind='redis-restarts', step='join', nth=1, after='2s', for='1s'}]"
            }
            Self::ProxyRestarts => {
                "fault=[{kind='proxy-restarts', step='join', nth=1, after='3s', for='1s'}]"
            }
            Self::StorageStalled => {
                "fault=[{kind='stalled', service='nfs', step='join', nth=1, after='5s', for='8s'}]"
            }
            Self::MonitoringDown => {
                "fault=[{kind='monitoring-down', step='join', nth=1, after='2s', for='30s'}]"
            }
            Self::AlertsLate => "monitoring.alerts.delay=6s",
            Self::AlertsTwice => "fault=[{kind='alerts-twice', at='0s', for='2m'}]",
        }
    }
}
