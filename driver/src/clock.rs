//! Time, as the runtime is given it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use tidegate_core::Timestamp;

/// Tells the time and waits. The runtime asks nobody else.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Timestamp;

    /// Waits until the clock shows `at`, or a little longer. Returns at once if it does.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;
}

/// The machine's own clock. What is waited for is its distance at the call: where the clock is set
/// meanwhile, the wait keeps its length.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the driver reads the clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let wait = Duration::from_nanos(at.since(self.now()).as_nanos().unsigned_abs());
        Box::pin(tokio::time::sleep(wait))
    }
}
