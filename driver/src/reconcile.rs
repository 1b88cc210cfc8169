//! Whether the ledger and the provider say the same: a machine that runs and is on no bill, or that
//! is billed while it is off. Everything is asked, nothing is changed.
//!
//! The ledger is that of the group's record, which rests on the provider's times as they were known
//! at each look. The provider is asked for all of them again, and for what runs now.

mod compare;

use std::sync::Arc;

use serde::Serialize;
use tidegate_core::billing::LedgerLine;
use tidegate_core::record::FoldError;
use tidegate_core::{Money, ServerId, Span, Timestamp};

use crate::adapters::alertmanager::Inboxes;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, GroupFile, PortsError};
use crate::ports::{Ask, PortError, PowerChange, PowerState};
use crate::record::{RecordError, judged, record};
use crate::runtime::{Deaf, Listener};
use crate::store::Place;
use crate::threads;

use compare::Looks;
pub use compare::{Difference, What};

/// The ledger beside the provider's account.
#[derive(Clone, Debug, Serialize)]
pub struct Reconciliation {
    /// The group.
    pub group: String,
    /// From when on.
    pub from: Timestamp,
    /// The last look that is stored.
    pub to: Timestamp,
    /// Each standby.
    pub servers: Vec<Account>,
    /// What the two do not agree on, in the order of time.
    pub differences: Vec<Difference>,
    /// Whether the provider tells when it started and stopped machines.
    pub tells_times: bool,
}

/// How long a server was powered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Which.
    pub server: ServerId,
    /// By the ledger.
    pub ledger: Span,
    /// What the ledger charges for it.
    pub amount: Money,
    /// By the provider; absent if it tells no times.
    pub provider: Option<Span>,
}

/// Why nothing can be compared.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// There is no record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// What was recorded does not belong together.
    #[error("failed to judge the record")]
    Fold(#[from] FoldError),
    /// There is no runtime to be had from the system.
    #[error("failed to start the runtime")]
    Runtime(#[source] std::io::Error),
    /// What stands behind the ports cannot be reached as configured.
    #[error(transparent)]
    Ports(#[from] PortsError),
    /// The provider gives no answer.
    #[error("failed to ask the provider")]
    Provider(#[from] PortError),
}

/// Compares a group's ledger, from `since` on, with what the provider tells.
///
/// # Errors
/// If there is no record, or no answer.
pub fn reconcile(
    config: &Config,
    place: &Place,
    group: &GroupFile,
    since: Timestamp,
) -> Result<Reconciliation, ReconcileError> {
    let recorded = record(config, place, group, since, Timestamp::MAX)?;
    let origin = &recorded.origin;
    let judged = judged(origin, &recorded.lines, &recorded.journal, &recorded.told)?;
    let told = threads::block_on(ask(config, group)).map_err(ReconcileError::Runtime)??;
    let wait = config.look.every.max(config.look.moving) + config.look.answer;
    let (asked, next) = (origin.end - config.look.answer, SystemClock.now() - wait);
    let looks = Looks { asked, last: origin.end, next };
    Ok(compared(group, origin.start, looks, &judged.ledger, &told))
}

/// What the provider tells: its changes, and what is on now.
struct Answer {
    changes: Vec<PowerChange>,
    states: Vec<PowerState>,
}

async fn ask(config: &Config, group: &GroupFile) -> Result<Answer, ReconcileError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let deaf: Arc<dyn Listener> = Arc::new(Deaf);
    let provider = group.ports(&clock, &Inboxes::new([], &clock, &deaf))?.provider;
    let now = clock.now();
    let ask = Ask { now, deadline: now + config.look.answer };
    let asked = async {
        let changes = provider.changes(Timestamp::default(), ask).await?;
        Ok(Answer { changes, states: provider.power(ask).await? })
    };
    tokio::select! {
        biased;
        answer = asked => answer,
        () = clock.sleep_until(ask.deadline) => {
            let what = format!("no answer within {}", config.look.answer);
            Err(PortError::new(tidegate_core::Failure::TimedOut, what).into())
        }
    }
}

fn compared(
    group: &GroupFile,
    from: Timestamp,
    looks: Looks,
    ledger: &[LedgerLine],
    told: &Answer,
) -> Reconciliation {
    let to = looks.last;
    let tells_times = !told.changes.is_empty();
    let mut differences = Vec::new();
    let account = |server| {
        let lines: Vec<_> = ledger.iter().filter(|line| line.server == server).collect();
        let billed: Vec<_> = lines.iter().map(|line| (line.from, line.to)).collect();
        let powered = tells_times.then(|| compare::powered(server, &told.changes, (from, to)));
        if let Some(powered) = &powered {
            differences.extend(compare::differences(server, &billed, powered, looks));
        }
        let state = told.states.iter().find(|state| state.server == server);
        let is_on = state.map(|state| state.power.value);
        differences.extend(compare::present(server, &billed, is_on, &told.changes, looks));
        Account {
            server,
            ledger: compare::total(&billed),
            amount: lines.iter().map(|line| line.amount).sum(),
            provider: powered.map(|powered| compare::total(&powered)),
        }
    };
    let servers = (1..=group.standbys).map(ServerId).map(account).collect();
    differences.sort_by_key(|difference| (difference.from, difference.server));
    Reconciliation { group: group.name.clone(), from, to, servers, differences, tells_times }
}
