//! A clock that stands still until everybody waits, and then shows what is waited for next: exact
//! to the nanosecond, and the same in every run.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tidegate_core::Timestamp;

use crate::clock::Clock;

/// When, and who first of those who wait for the same moment.
type Key = (Timestamp, u64);

/// What is first among those who wait without a turn of their own.
const WITHOUT_TURN: u64 = 1 << 32;

#[derive(Debug)]
struct State {
    now: Timestamp,
    registered: u64,
    sleepers: BTreeMap<Key, Option<Waker>>,
}

/// A clock for a tokio runtime whose own time is paused, which tells when nobody has anything left
/// to do.
#[derive(Clone, Debug)]
pub struct VirtualClock(Arc<Mutex<State>>);

impl VirtualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        let sleepers = BTreeMap::new();
        Self(Arc::new(Mutex::new(State { now, registered: WITHOUT_TURN, sleepers })))
    }

    /// Lets time pass until `until`. Sleepers wake one at a time, each when the one before has done
    /// what it woke for.
    pub async fn run_until(&self, until: Timestamp) {
        loop {
            // Paused time goes on only once every task waits.
            tokio::time::sleep(Duration::from_millis(1)).await;
            let mut state = self.state();
            let first = state.sleepers.first_key_value().map(|(key, _)| *key);
            let Some(key) = first.filter(|(at, _)| *at <= until) else {
                state.now = state.now.max(until);
                return;
            };
            state.now = state.now.max(key.0);
            let waker = state.sleepers.remove(&key).flatten();
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    /// Waits for `at`; of those who wait for the same moment, lower turns wake first, and those
    /// without one last. A turn is below 2³², and two may not share one at the same moment.
    pub fn sleep_in_turn(&self, at: Timestamp, turn: u64) -> BoxFuture<'static, ()> {
        let key = (at, turn);
        self.state().sleepers.insert(key, None);
        Box::pin(Sleep { clock: self.clone(), key })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let mut state = self.state();
        if at <= state.now {
            return Box::pin(std::future::ready(()));
        }
        let key = (at, state.registered);
        state.registered += 1;
        state.sleepers.insert(key, None);
        drop(state);
        Box::pin(Sleep { clock: self.clone(), key })
    }
}

struct Sleep {
    clock: VirtualClock,
    key: Key,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match self.clock.state().sleepers.get_mut(&self.key) {
            Some(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.state().sleepers.remove(&self.key);
    }
}
