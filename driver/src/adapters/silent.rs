//! Nobody notifies alerts: rules are evaluated on metrics.

use async_trait::async_trait;
use tidegate_core::Alert;

use crate::ports::Alerts;

/// No alerts ever come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

#[async_trait]
impl Alerts for Silent {
    async fn next(&self) -> Vec<Alert> {
        std::future::pending().await
    }
}
