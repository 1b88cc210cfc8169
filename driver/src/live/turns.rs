//! The turns of a host: it waits while another acts, acts while it has the lease, and waits again.
//!
//! A lease runs on real time, and so does what is waited for here.

use super::control::Control;
use crate::runtime::{Fault, Group, Host, HostEvent, Idle, Setup};
use crate::store::{Lease, REST, StoreError, lost};

/// Why a host ended otherwise than by being stopped.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The store.
    #[error("failed to take over")]
    Store(#[from] StoreError),
    /// A group.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// How a turn ended.
enum Ended {
    Stopped,
    Lost(StoreError),
}

/// Hosts these groups whenever it is this host's turn, until it is stopped. Where the store has no
/// lease, that is from now on.
///
/// # Errors
/// Why it cannot go on.
pub async fn host(setup: &Setup, groups: &[Group], control: &Control) -> Result<(), TurnError> {
    let Some(lease) = setup.store.lease() else {
        let host = Host::start(setup, groups.to_vec()).await?;
        control.acts(host.handle());
        return Ok(until_stopped(host, control).await?);
    };
    loop {
        let turn = tokio::select! {
            biased;
            () = control.stopped() => None,
            turn = wait(setup, &*lease, control) => Some(turn),
        };
        let ended = match turn.transpose()? {
            Some(()) => act(setup, &*lease, groups, control).await,
            None => Ok(Ended::Stopped),
        };
        if let Ok(Ended::Lost(why)) = ended {
            tell(setup, &HostEvent::Lost { why: &why });
            continue;
        }
        // What cannot be given back runs out.
        let _given = lease.give_back().await;
        return ended.map(drop);
    }
}

/// Waits until this host has the lease.
async fn wait(setup: &Setup, lease: &dyn Lease, control: &Control) -> Result<(), StoreError> {
    let mut told = None;
    loop {
        let (why, pause) = match lease.take().await {
            Ok(()) => return Ok(()),
            Err(StoreError::Held { by, left }) => (Idle::Waits { by }, left.min(lease.every())),
            Err(StoreError::Unreachable(why)) => (Idle::Cut { why }, lease.every()),
            Err(why) => return Err(why),
        };
        if told.as_ref() != Some(&why) {
            tell(setup, &HostEvent::Idle { why: &why });
            control.waits(&why);
            told = Some(why);
        }
        tokio::time::sleep(pause.max(REST)).await;
    }
}

/// Acts for as long as this host has the lease. What it does ends with it as if it were killed.
async fn act(
    setup: &Setup,
    lease: &dyn Lease,
    groups: &[Group],
    control: &Control,
) -> Result<Ended, TurnError> {
    let host = match Host::start(setup, groups.to_vec()).await {
        Ok(host) => host,
        Err(why) if passes(&why) => return Ok(Ended::Lost(why)),
        Err(why) => return Err(why.into()),
    };
    control.acts(host.handle());
    tokio::select! {
        biased;
        why = lost(lease) => Ok(Ended::Lost(why)),
        ended = until_stopped(host, control) => match ended {
            Ok(()) => Ok(Ended::Stopped),
            Err(Fault::Store { source, .. }) if passes(&source) => Ok(Ended::Lost(source)),
            Err(fault) => Err(fault.into()),
        },
    }
}

async fn until_stopped(host: Host, control: &Control) -> Result<(), Fault> {
    let handle = host.handle();
    let stop = async {
        control.stopped().await;
        handle.stop();
        std::future::pending().await
    };
    tokio::select! {
        ended = host.run() => ended,
        never = stop => never,
    }
}

/// Whether a host that met this may have another turn.
const fn passes(why: &StoreError) -> bool {
    matches!(why, StoreError::Fenced { .. } | StoreError::Held { .. } | StoreError::Unreachable(_))
}

fn tell(setup: &Setup, event: &HostEvent<'_>) {
    setup.listener.tell_of_host(setup.clock.now(), event);
}
