//! What the ports of a fake group say of it.

use async_trait::async_trait;
use tidegate_core::{Alert, Dated, Health, Power, Ratio, ServerId, Timestamp};

use super::{FakeGroup, Machine, State};
use crate::ports::{
    Alerts, Ask, Checks, Metrics, PortError, PowerChange, PowerState, Probes, Routing, SharedState,
    Usage, Workers,
};

impl State {
    /// What a server is measured to do: its part of the load, if it is on.
    fn usage(&self, machine: &Machine, now: Timestamp) -> Option<Ratio> {
        if machine.power(now, &self.times) != Power::On {
            return None;
        }
        let mut begun = self.load.iter().filter(|(from, _)| *from <= now);
        let load = begun.next_back().map_or(Ratio::default(), |(_, load)| *load);
        let routed = self.machines.iter().filter(|machine| machine.routed).count().max(1);
        let part = if machine.routed { load.ppm() / routed as u32 } else { 0 };
        Some(Ratio::from_ppm(part.min(Ratio::ONE.ppm())))
    }
}

impl FakeGroup {
    /// What `of` makes of each machine.
    fn each<T>(&self, of: impl Fn(&State, ServerId, &Machine, Timestamp) -> T) -> Vec<T> {
        let (state, now) = (self.state(), self.clock.now());
        let machines = (0..).map(ServerId).zip(&state.machines);
        machines.map(|(server, machine)| of(&state, server, machine, now)).collect()
    }

    pub(super) fn power_states(&self) -> Vec<PowerState> {
        self.each(|state, server, machine, now| PowerState {
            server,
            power: Dated::new(machine.power(now, &state.times), now),
        })
    }

    pub(super) fn changes_since(&self, since: Timestamp) -> Vec<PowerChange> {
        self.power_record().into_iter().filter(|change| change.at >= since).collect()
    }

    pub(super) fn routing(&self) -> Vec<Routing> {
        self.each(|state, server, machine, now| Routing {
            server,
            routed: Some(Dated::new(machine.routed, now)),
            in_flight: Some(Dated::new(machine.in_flight(now, &state.times), now)),
            counted: None,
        })
    }

    pub(super) fn workers_of_all(&self) -> Vec<Workers> {
        self.each(|state, server, machine, now| Workers {
            server,
            registered: Some(Dated::new(machine.is_healthy(now, &state.times), now)),
            busy: Some(Dated::new(machine.jobs(now, &state.times), now)),
        })
    }

    fn checks(&self, server: ServerId, parts: Health, ask: Ask) -> Result<Checks, PortError> {
        let state = self.state();
        let machine = state.machines.get(server.index());
        let machine = machine.ok_or_else(|| PortError::refused("there is no such server"))?;
        let healthy = machine.is_healthy(self.clock.now(), &state.times);
        Ok(Checks::unknown(ask.now).with(parts, healthy))
    }
}

#[async_trait]
impl Metrics for FakeGroup {
    async fn usage(&self, _: Ask) -> Result<Vec<Usage>, PortError> {
        Ok(self.each(|state, server, machine, now| {
            let cpu = state.usage(machine, now).map(|cpu| Dated::new(cpu, now));
            let memory = cpu.map(|cpu| Dated::new(Ratio::from_percent(40), cpu.at));
            Usage { server, cpu, memory }
        }))
    }
}

#[async_trait]
impl Probes for FakeGroup {
    async fn check(&self, server: ServerId, ask: Ask) -> Result<Checks, PortError> {
        self.checks(server, Health::BENCHES.with(Health::SERVICES), ask)
    }
}

#[async_trait]
impl SharedState for FakeGroup {
    async fn check(&self, server: ServerId, ask: Ask) -> Result<Checks, PortError> {
        self.checks(server, Health::STORAGE.with(Health::REDIS), ask)
    }
}

#[async_trait]
impl Alerts for FakeGroup {
    async fn next(&self) -> Vec<Alert> {
        loop {
            let came = self.state().alerts.pop_front();
            if let Some(alerts) = came {
                return alerts;
            }
            self.alerted.notified().await;
        }
    }
}
