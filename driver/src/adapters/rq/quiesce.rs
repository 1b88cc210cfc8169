//! Lets a server's workers end, and starts them again.

use tidegate_core::Span;

use super::registry::Worker;
use super::scripts::{ENTER, SHUT_DOWN};
use super::{Rq, ServerWorkers};
use crate::adapters::program;
use crate::ports::{Order, PortError};

const POLL: Span = Span::from_millis(200);

impl Rq {
    /// Lets an order through, unless one of a higher generation came before.
    pub(super) async fn enter(&self, order: &Order) -> Result<(), PortError> {
        let fence = format!("tidegate:fence:{}:{}", self.config.group, order.server);
        let mut ask = ENTER.key(fence);
        ask.arg(format!("{:020}", order.generation.0));
        let entered: bool = self.link.with(async |redis| ask.invoke_async(redis).await).await?;
        if entered { Ok(()) } else { Err(PortError::fenced("a later order came before")) }
    }

    /// Waits until none of a server's workers can take another job.
    pub(super) async fn end_workers(
        &self,
        own: &ServerWorkers,
        order: &Order,
    ) -> Result<(), PortError> {
        if let Some(command) = &own.stop {
            program::run(command).await?;
        }
        loop {
            let registry = self.registry().await?;
            let able: Vec<_> = registry.able(own).collect();
            if able.is_empty() {
                return Ok(());
            }
            if own.stop.is_none() {
                for worker in able {
                    self.shut_down(worker).await?;
                }
            }
            self.wait(order).await?;
        }
    }

    /// Waits until a server has as many workers as it should that can take a job.
    pub(super) async fn start_workers(
        &self,
        own: &ServerWorkers,
        order: &Order,
    ) -> Result<(), PortError> {
        let enough = async || {
            let registry = self.registry().await?;
            Ok::<_, PortError>(registry.able(own).count() >= own.count as usize)
        };
        if enough().await? {
            return Ok(());
        }
        let Some(command) = &own.start else {
            return Err(PortError::refused(format!(
                "the workers of {} have ended and no `start` command is configured for them",
                order.server
            )));
        };
        program::run(command).await?;
        while !enough().await? {
            self.wait(order).await?;
        }
        Ok(())
    }

    /// A worker that has not begun to listen is told when it has.
    async fn shut_down(&self, worker: &Worker) -> Result<(), PortError> {
        let mut tell = SHUT_DOWN.key(format!("tidegate:shutdown:{}", worker.name));
        tell.arg(&worker.name).arg(&worker.birth);
        self.link.with(async |redis| tell.invoke_async::<u32>(redis).await).await.map(|_| ())
    }

    async fn wait(&self, order: &Order) -> Result<(), PortError> {
        self.clock.sleep_until(self.clock.now() + POLL).await;
        self.enter(order).await
    }
}
