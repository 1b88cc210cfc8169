//! Who may act where several hosts share a store.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rustix::time::{ClockId, clock_gettime};

use super::StoreError;

/// The right to act, which runs out unless it is renewed. One host has it at a time. It rests on
/// the clock of the store, and on each host's clock for how long ago it asked.
#[async_trait]
pub trait Lease: Send + Sync {
    /// How often whoever has it renews it, and whoever waits asks for it.
    fn every(&self) -> Duration;

    /// Takes it if nobody has it, or renews it.
    ///
    /// # Errors
    /// [`StoreError::Held`] if another host has it.
    async fn take(&self) -> Result<(), StoreError>;

    /// Gives it back. From the call on this host may not act.
    ///
    /// # Errors
    /// If the store cannot be told. Then it runs out.
    async fn give_back(&self) -> Result<(), StoreError>;

    /// Whether the host of this term may act now. Nobody is asked: it is known, and it ceases a
    /// little before another host can get the lease.
    fn allows(&self, term: u32) -> bool;

    /// Waits until this host has it no more.
    async fn ended(&self);
}

/// The least time between two questions for a lease.
pub(crate) const REST: Duration = Duration::from_millis(50);

/// Renews the lease until that fails for too long; why it did.
pub(crate) async fn lost(lease: &dyn Lease) -> StoreError {
    let mut why = StoreError::Unreachable("the lease was not renewed in time".to_owned());
    let renewed = async {
        loop {
            tokio::time::sleep(lease.every()).await;
            while let Err(failed) = lease.take().await {
                if !matches!(failed, StoreError::Unreachable(_)) {
                    return failed;
                }
                why = failed;
                tokio::time::sleep(REST).await;
            }
        }
    };
    let other = tokio::select! {
        biased;
        () = lease.ended() => None,
        other = renewed => Some(other),
    };
    other.unwrap_or(why)
}

#[derive(Debug, Default)]
struct Held {
    /// On [`present`].
    until: Duration,
    /// In which term, once one has begun.
    term: Option<u32>,
}

/// What a host knows of its own lease.
#[derive(Debug, Default)]
pub(super) struct Tenure(Mutex<Held>);

impl Tenure {
    /// It is held until then, on [`present`].
    pub fn extend(&self, until: Duration) {
        self.held().until = until;
    }

    /// A term has begun.
    pub fn begin(&self, term: u32) {
        self.held().term = Some(term);
    }

    /// It is held no more, so that no term before may act even if it is held again.
    pub fn end(&self) {
        *self.held() = Held::default();
    }

    /// Whether the host of this term may act.
    pub fn allows(&self, term: u32) -> bool {
        let held = self.held();
        held.term == Some(term) && present() < held.until
    }

    /// Waits until it is held no more.
    pub async fn ended(&self) {
        loop {
            let left = self.held().until.saturating_sub(present());
            if left.is_zero() {
                return self.end();
            }
            tokio::time::sleep(left).await;
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the machine has been on. It goes on while a process is stopped or the machine sleeps,
/// and nobody sets it.
pub(super) fn present() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_over_with_its_lease_even_if_that_is_taken_again() {
        let (tenure, hour) = (Tenure::default(), Duration::from_hours(1));
        tenure.begin(1);
        assert!(!tenure.allows(1), "nothing was taken");
        tenure.extend(present() + hour);
        assert!(tenure.allows(1) && !tenure.allows(0));
        tenure.extend(present());
        assert!(!tenure.allows(1), "it ran out");
        tenure.end();
        tenure.extend(present() + hour);
        assert!(!tenure.allows(1));
        tenure.begin(2);
        assert!(tenure.allows(2) && !tenure.allows(1));
    }
}
