//! Carries commands out: fences, the lease, deadlines, and what a port says about it.

use std::sync::Arc;

use tidegate_core::{Command, CommandId, CommandKind, Failure, Outcome, Power, Span, Timestamp};

use super::{Event, Mode, Setup};
use crate::fence::Fence;
use crate::ports::{Accepted, Ask, Order, PortError, Ports};
use crate::store::Lease;

/// How an attempt at a command ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub id: CommandId,
    pub outcome: Outcome,
}

/// What carries the commands of one group out.
#[derive(Clone)]
pub(super) struct Hands {
    setup: Setup,
    name: Arc<str>,
    ports: Ports,
    fence: Arc<Fence>,
    term: u32,
    lease: Option<Arc<dyn Lease>>,
}

impl Hands {
    /// The hands of a host in this term.
    pub fn new(setup: &Setup, term: u32, name: String, ports: Ports) -> Self {
        let (name, fence, lease) = (name.into(), Arc::default(), setup.store.lease());
        Self { setup: setup.clone(), name, ports, fence, term, lease }
    }

    /// One attempt. The core has deadlines of its own: an attempt that outlives its deadline goes
    /// on for a grace, since what was asked for may still come true, and then ends unheard.
    pub async fn attempt(self, command: Command) -> Option<Ended> {
        let Command { id, deadline, .. } = command;
        let end = deadline + self.setup.limits.grace;
        let result = tokio::select! {
            biased;
            result = self.act(&command) => result,
            () = self.setup.clock.sleep_until(end) => {
                self.tell(&Event::Dropped { command: &command });
                return None;
            }
        };
        let (outcome, why) = match &result {
            Ok(()) => (Outcome::Done, None),
            Err(why) => (Outcome::Failed(why.failure), Some(why)),
        };
        self.tell(&Event::Ended { command: &command, outcome, why });
        Some(Ended { id, outcome })
    }

    async fn act(&self, command: &Command) -> Result<(), PortError> {
        self.enter(command)?;
        if self.setup.mode == Mode::Shadow {
            return match command.kind {
                CommandKind::PowerOn => Err(PortError::refused("nothing is acted upon")),
                CommandKind::StartServices
                | CommandKind::Join { .. }
                | CommandKind::Drain
                | CommandKind::QuiesceJobs
                | CommandKind::ResumeJobs
                | CommandKind::StopServices
                | CommandKind::PowerOff => Ok(()),
            };
        }
        let order = Order::from(command);
        let Ports { proxy, jobs, services, provider, .. } = &self.ports;
        match command.kind {
            CommandKind::PowerOn => {
                let accepted = provider.power_on(order).await?;
                self.power(command, accepted, Power::On).await?;
            }
            CommandKind::StartServices => services.start(order).await?,
            CommandKind::Join { weight, slow_start } => {
                proxy.join(order, weight, slow_start).await?;
            }
            CommandKind::Drain => proxy.drain(order).await?,
            CommandKind::QuiesceJobs => jobs.quiesce(order).await?,
            CommandKind::ResumeJobs => jobs.resume(order).await?,
            CommandKind::StopServices => services.stop(order).await?,
            CommandKind::PowerOff => {
                let accepted = provider.power_off(order).await?;
                self.power(command, accepted, Power::Off).await?;
            }
        }
        self.enter(command)
    }

    fn enter(&self, command: &Command) -> Result<(), PortError> {
        if self.lease.as_ref().is_some_and(|lease| !lease.allows(self.term)) {
            return Err(PortError::fenced("this host may act no more"));
        }
        self.fence.enter(command.server, command.generation)
    }

    /// Asks for the machine's state until it is the one wanted, or another sequence has begun.
    async fn power(
        &self,
        command: &Command,
        accepted: Accepted,
        wanted: Power,
    ) -> Result<(), PortError> {
        if accepted == Accepted::Done {
            return Ok(());
        }
        loop {
            self.enter(command)?;
            // While nothing is known of it, it is asked again: the core has a deadline.
            let states = self.bounded(|ask| self.ports.provider.power(ask)).await;
            let is = |states: Vec<crate::ports::PowerState>| {
                let mut states = states.into_iter();
                states.any(|one| one.server == command.server && one.power.value == wanted)
            };
            if states.is_ok_and(is) {
                return Ok(());
            }
            self.setup.clock.sleep_until(self.later(self.setup.limits.poll)).await;
        }
    }

    async fn bounded<'a, T, F>(&'a self, read: impl FnOnce(Ask) -> F) -> Result<T, PortError>
    where
        F: Future<Output = Result<T, PortError>> + 'a,
    {
        let now = self.setup.clock.now();
        let deadline = self.later(self.setup.limits.answer);
        tokio::select! {
            biased;
            result = read(Ask { now, deadline }) => result,
            () = self.setup.clock.sleep_until(deadline) => {
                Err(PortError::new(Failure::TimedOut, "no answer"))
            }
        }
    }

    fn later(&self, after: Span) -> Timestamp {
        self.setup.clock.now() + after
    }

    fn tell(&self, event: &Event<'_>) {
        self.setup.listener.tell(self.setup.clock.now(), &self.name, event);
    }
}
