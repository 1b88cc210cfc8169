//! What orders do to a fake group.

use async_trait::async_trait;
use tidegate_core::{Power, Span, StepName, Timestamp};

use super::{Answer, Applied, FakeGroup, State};
use crate::ports::{
    Accepted, Ask, Jobs, Order, PortError, PowerChange, PowerState, Provider, Proxy, Routing,
    Services, Workers,
};

impl State {
    /// The effect of an order, unless one of a higher generation came before.
    fn apply(&mut self, step: StepName, order: Order, now: Timestamp) -> Result<(), PortError> {
        let times = self.times;
        let Order { id, server, generation, .. } = order;
        let machine = self.machines.get_mut(server.index());
        let machine = machine.ok_or_else(|| PortError::refused("there is no such server"))?;
        if generation < machine.generation {
            return Err(PortError::fenced("a later order came before"));
        }
        machine.generation = generation;
        let on = machine.power(now, &times) == Power::On;
        let to_the_server = matches!(
            step,
            StepName::StartServices
                | StepName::QuiesceJobs
                | StepName::ResumeJobs
                | StepName::StopServices
        );
        if to_the_server && !on {
            return Err(PortError::unreachable("the machine is not on"));
        }
        let busy = machine.in_flight(now, &times) > 0 || machine.jobs(now, &times) > 0;
        let harm = match step {
            StepName::Join => !machine.is_healthy(now, &times),
            StepName::StopServices | StepName::PowerOff => busy,
            StepName::PowerOn
            | StepName::StartServices
            | StepName::Drain
            | StepName::QuiesceJobs
            | StepName::ResumeJobs => false,
        };
        if harm {
            self.harm.push(format!("{} of {server} at {now:?}", step.name()));
        }
        match step {
            StepName::PowerOn | StepName::PowerOff => {
                let on = step == StepName::PowerOn;
                let at = if on { now } else { now + times.stop };
                if machine.turn(on, now) {
                    self.changes.push(PowerChange { server, on, at });
                }
            }
            StepName::StartServices => machine.services = machine.services.or(Some(now)),
            StepName::StopServices => machine.services = None,
            StepName::Join | StepName::Drain => machine.route(step == StepName::Join, now),
            StepName::QuiesceJobs | StepName::ResumeJobs => {
                machine.quiesce(step == StepName::QuiesceJobs, now);
            }
        }
        self.applied.push(Applied { at: now, id, generation, server, step });
        Ok(())
    }
}

impl FakeGroup {
    /// An order's effect, and then its answer.
    async fn order(&self, step: StepName, order: Order) -> Result<(), PortError> {
        let (answer, scripted) = {
            let mut state = self.state();
            let scripted =
                state.script.get_mut(&step).and_then(std::collections::VecDeque::pop_front);
            (state.times.answer, scripted.unwrap_or_default())
        };
        let Answer { late, failure, lost } = scripted;
        self.clock.sleep_until(self.clock.now() + late).await;
        if let Some(failure) = failure {
            return Err(PortError::new(failure, "as it was told to"));
        }
        let now = self.clock.now();
        self.state().apply(step, order, now)?;
        let answered = if lost { Timestamp::MAX } else { now + answer };
        self.clock.sleep_until(answered).await;
        Ok(())
    }
}

#[async_trait]
impl Provider for FakeGroup {
    async fn power(&self, _: Ask) -> Result<Vec<PowerState>, PortError> {
        Ok(self.power_states())
    }

    async fn power_on(&self, order: Order) -> Result<Accepted, PortError> {
        self.order(StepName::PowerOn, order).await.map(|()| Accepted::Underway)
    }

    async fn power_off(&self, order: Order) -> Result<Accepted, PortError> {
        self.order(StepName::PowerOff, order).await.map(|()| Accepted::Underway)
    }

    async fn changes(&self, since: Timestamp, _: Ask) -> Result<Vec<PowerChange>, PortError> {
        Ok(self.changes_since(since))
    }
}

#[async_trait]
impl Proxy for FakeGroup {
    async fn state(&self, _: Ask) -> Result<Vec<Routing>, PortError> {
        Ok(self.routing())
    }

    async fn join(&self, order: Order, _: u16, _: Span) -> Result<(), PortError> {
        self.order(StepName::Join, order).await
    }

    async fn drain(&self, order: Order) -> Result<(), PortError> {
        self.order(StepName::Drain, order).await
    }
}

#[async_trait]
impl Jobs for FakeGroup {
    async fn workers(&self, _: Ask) -> Result<Vec<Workers>, PortError> {
        Ok(self.workers_of_all())
    }

    async fn quiesce(&self, order: Order) -> Result<(), PortError> {
        self.order(StepName::QuiesceJobs, order).await
    }

    async fn resume(&self, order: Order) -> Result<(), PortError> {
        self.order(StepName::ResumeJobs, order).await
    }
}

#[async_trait]
impl Services for FakeGroup {
    async fn start(&self, order: Order) -> Result<(), PortError> {
        self.order(StepName::StartServices, order).await
    }

    async fn stop(&self, order: Order) -> Result<(), PortError> {
        self.order(StepName::StopServices, order).await
    }
}
