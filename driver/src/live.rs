//! A live host from a configuration, from its start to its end.

mod control;
mod turns;

use std::sync::Arc;

use crate::adapters::alertmanager::Inboxes;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, PortsError};
use crate::enable;
use crate::http::{Counts, HttpError, Operators, Recent, Server};
use crate::runtime::{Event, Fault, Group, Listener, Mode, Setup};
use crate::store::{Place, StoreError};
use crate::threads;

pub use control::Control;
pub use turns::{TurnError, host};

/// Why a live host ended otherwise than by being stopped.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// There is no runtime to be had from the system.
    #[error("failed to start the runtime")]
    Runtime(#[source] std::io::Error),
    /// What stands behind the ports cannot be reached as configured.
    #[error(transparent)]
    Ports(#[from] PortsError),
    /// Nobody can be listened to as configured.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The store cannot be opened.
    #[error("failed to open the store {place}")]
    Store {
        /// Where it is.
        place: String,
        /// Why.
        source: StoreError,
    },
    /// A group cannot go on.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// All that a host needs before it takes any group up.
struct Ready {
    setup: Setup,
    groups: Vec<Group>,
    inboxes: Arc<Inboxes>,
    server: Option<Server>,
    told: Option<(Arc<Recent>, Arc<Counts>)>,
}

/// Opens the store and listens, and tells of groups that were never enabled.
async fn ready(
    config: &Config,
    place: &Place,
    mode: Mode,
    listener: Arc<dyn Listener>,
) -> Result<Ready, LiveError> {
    let failed = |source| not_opened(place, source);
    let store = place.open(Some(config.store.keep)).await.map_err(failed)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let told = config.http.as_ref().map(|_| {
        let counts = Arc::new(Counts::new(Arc::clone(&listener)));
        (Arc::new(Recent::new(counts.clone())), counts)
    });
    let listener = told.clone().map_or(listener, |(recent, _)| recent as Arc<dyn Listener>);
    let inboxes = Arc::new(config.inboxes(&clock, &listener));
    let groups = config.groups(&clock, &inboxes)?;
    for file in config.group.iter().filter(|file| file.setup.is_some()) {
        if !enable::is_enabled(&*store, &file.name).await.map_err(failed)? {
            listener.tell(clock.now(), &file.name, &Event::NotEnabled);
        }
    }
    let server = match &config.http {
        Some(http) => Some(Server::listen(http).await?),
        None => None,
    };
    let limits = config.look.into();
    let setup = Setup { store, clock, listener, limits, mode };
    Ok(Ready { setup, groups, inboxes, server, told })
}

fn not_opened(place: &Place, source: StoreError) -> LiveError {
    LiveError::Store { place: place.to_string(), source }
}

/// Hosts the groups of `config` with their state in `store`, whenever it is this host's turn, until
/// it is stopped by the control that `begun` is given before all else, or cannot go on.
///
/// # Errors
/// Why it cannot go on.
pub fn live(
    config: &Config,
    store: &Place,
    mode: Mode,
    listener: Arc<dyn Listener>,
    begun: impl FnOnce(Control),
) -> Result<(), LiveError> {
    let work = async {
        let control = Control::default();
        begun(control.clone());
        let Ready { setup, groups, inboxes, server, told } = tokio::select! {
            biased;
            ready = ready(config, store, mode, listener) => ready?,
            () = control.stopped() => return Ok(()),
        };
        let operators = told.map(|(recent, counts)| {
            let (store, clock) = (Arc::clone(&setup.store), Arc::clone(&setup.clock));
            Operators { host: control.clone(), store, recent, counts, clock }
        });
        let serve = async {
            match server {
                Some(server) => server.serve(inboxes, operators).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = host(&setup, &groups, &control) => ended.map_err(|why| match why {
                TurnError::Store(source) => not_opened(store, source),
                TurnError::Fault(fault) => fault.into(),
            }),
            never = serve => match never {},
        }
    };
    threads::block_on(work).map_err(LiveError::Runtime)?
}
