//! Reaches a live host from elsewhere, whether it acts or waits.

use std::sync::Arc;
use tokio::sync::watch;

use crate::runtime::{Handle, Idle};

/// What a host does at present.
#[derive(Clone, Debug)]
enum Role {
    Begins,
    Idle(Idle),
    Acts(Handle),
}

/// Reaches a live host from elsewhere, from before it begins until after it ended.
#[derive(Clone, Debug)]
pub struct Control {
    role: Arc<watch::Sender<Role>>,
    stop: Arc<watch::Sender<bool>>,
}

impl Default for Control {
    fn default() -> Self {
        let role = Arc::new(watch::Sender::new(Role::Begins));
        Self { role, stop: Arc::new(watch::Sender::new(false)) }
    }
}

impl Control {
    /// Lets it finish what it is writing and stop; what is under way is left to the next start, or
    /// to another host.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Reaches its groups, once it is known whether it acts.
    ///
    /// # Errors
    /// If it does not act.
    pub async fn groups(&self) -> Result<Handle, Idle> {
        let mut role = self.role.subscribe();
        loop {
            match &*role.borrow_and_update() {
                Role::Begins => {}
                Role::Idle(why) => return Err(why.clone()),
                Role::Acts(handle) => return Ok(handle.clone()),
            }
            // The sender lives as long as this does.
            let _changed = role.changed().await;
        }
    }

    /// It does not act.
    pub(super) fn waits(&self, why: &Idle) {
        self.role.send_replace(Role::Idle(why.clone()));
    }

    /// It acts.
    pub(crate) fn acts(&self, handle: Handle) {
        self.role.send_replace(Role::Acts(handle));
    }

    /// Waits until it is to stop.
    pub(super) async fn stopped(&self) {
        // The sender lives as long as this does.
        let mut stop = self.stop.subscribe();
        let _stopped = stop.wait_for(|stop| *stop).await;
    }
}
