//! What faults make of what is seen.

use tidegate_core::fact::FactSink;
use tidegate_core::{Dated, Health, Power, ServerId, ServerView};

use crate::model::{FaultKind, Injection, Part};
use crate::world::{Notice, World};

/// What a check of them says while it lies.
const LIED_ABOUT: Health = Health::BENCHES.with(Health::STORAGE).with(Health::REDIS);

impl<S: FactSink> World<S> {
    /// What the controller gets to see of a server, as faults leave it.
    pub(in crate::world) fn distort(&mut self, view: &mut ServerView) {
        let server = view.server;
        if self.is_unheard(Part::Provider) {
            view.power = None;
        }
        if self.is_unheard(Part::Proxy) {
            (view.routed, view.in_flight) = (None, None);
        }
        if self.is_unheard(Part::Monitoring) {
            (view.cpu, view.memory) = (None, None);
        }
        if self.is_cut_off(Part::Controller, server) {
            (view.health, view.jobs) = (None, None);
        }
        if self.frozen(server).is_some() {
            view.health = None;
        }
        if self.befalls_server(FaultKind::WrongPower, server) {
            view.power = view.power.map(|power| Dated::new(opposite(power.value), power.at));
        }
        if let Some(health) = &mut view.health {
            health.value = self.distort_health(view.server, health.value);
        }
    }

    fn distort_health(&mut self, server: ServerId, health: Health) -> Health {
        if self.befalls_server(FaultKind::CheckLiesIll, server) {
            return Health::NONE;
        }
        if self.befalls_server(FaultKind::CheckFlaps, server)
            && let Some(faults) = &mut self.faults
        {
            let checks = &mut faults.checks[server.index()];
            *checks += 1;
            if checks.is_multiple_of(2) {
                return Health::NONE;
            }
        }
        if self.befalls_server(FaultKind::CheckLiesWell, server) {
            return health.with(LIED_ABOUT);
        }
        health
    }

    /// Nanoseconds by which samples are seen later than usual.
    pub(in crate::world) fn further_delay(&mut self) -> i64 {
        if self.faults.is_none() {
            return 0;
        }
        self.befalls(|one| one.kind == FaultKind::MetricsLate)
            .map_or(0, |active| self.model.faults[usize::from(active.fault)].by.as_nanos())
    }

    /// Nanoseconds by which the clock of a server's samples is behind.
    pub(in crate::world) fn skew(&mut self, server: ServerId) -> i64 {
        if self.faults.is_none() {
            return 0;
        }
        let skewed = |one: &Injection| one.kind == FaultKind::ClockSkew && one.concerns(server);
        self.befalls(skewed)
            .map_or(0, |active| self.model.faults[usize::from(active.fault)].by.as_nanos())
    }

    /// Whether a fault of this kind is on, which then befell what was asked for.
    pub(in crate::world) fn is_on(&mut self, kind: FaultKind) -> bool {
        self.faults.is_some() && self.befalls(|one| one.kind == kind).is_some()
    }

    /// What is seen is told; while messages come twice, again.
    pub(in crate::world) fn notify(&mut self, notice: Notice) -> Notice {
        if self.is_on(FaultKind::MetricsTwice) {
            self.pending.push_back(notice.clone());
        }
        notice
    }
}

const fn opposite(power: Power) -> Power {
    match power {
        Power::Off | Power::Stopping => Power::On,
        Power::On | Power::Booting => Power::Off,
    }
}
