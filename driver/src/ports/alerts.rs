//! Whose alerts are notified: Alertmanager.

use async_trait::async_trait;
use tidegate_core::Alert;

/// Receives alerts of a group's rules.
#[async_trait]
pub trait Alerts: Send + Sync {
    /// Waits for alerts that came in and were found true where they came from. Those given once
    /// need not be given again; one that is given twice does no harm. Never returns if none come.
    /// A future that is dropped has taken nothing. The next call tells that what was given before
    /// is stored.
    async fn next(&self) -> Vec<Alert>;

    /// A host takes the group up. What was given to one before and was not told to be stored may
    /// not be.
    fn begin(&self) {}
}
