//! Who starts and stops a machine's services: systemd over SSH, a console.

use async_trait::async_trait;

use super::{Order, PortError};

/// Starts and stops what runs on a machine.
#[async_trait]
pub trait Services: Send + Sync {
    /// Mounts the shared storage, connects to the shared Redis, starts benches and job workers.
    /// Done when they were started; whether they answer is checked apart.
    async fn start(&self, order: Order) -> Result<(), PortError>;

    /// Stops benches and workers, which have nothing left to do. Done when they have stopped.
    async fn stop(&self, order: Order) -> Result<(), PortError>;
}
