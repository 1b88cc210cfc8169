//! What the end of a run makes of verdicts, counts and the ledger.

use jiff::tz::TimeZone;

use super::{
    Action, Baseline, Billing, Jobs, LocalTime, PropertyResult, RuleInfo, ScaleEvent, Scaling,
    Violation,
};
use crate::billing::{LedgerLine, Meter, Pricing};
use crate::demand::trigger::Rule;
use crate::explain;
use crate::fact::{Fact, FactSink};
use crate::ids::ServerId;
use crate::money::{Currency, Money};
use crate::oracle::{JobCounts, Verdict, Violated};
use crate::time::{Span, Timestamp};

impl PropertyResult {
    /// What an oracle said, with times as the clocks of `zone` show them.
    pub fn new(verdict: Verdict, zone: &TimeZone) -> Self {
        let violation = |one: Violated| Violation {
            at: LocalTime::new(one.at, zone),
            what: one.what,
            under: one.decision.map(|decision| explain::reason(&decision)),
        };
        Self {
            name: verdict.property.to_owned(),
            holds: verdict.holds(),
            checked: verdict.checked,
            violations: verdict.violations.into_iter().map(violation).collect(),
        }
    }
}

impl From<JobCounts> for Jobs {
    fn from(counts: JobCounts) -> Self {
        Self {
            enqueued: counts.enqueued,
            completed: counts.completed,
            lost: counts.lost,
            duplicated: counts.duplicated,
            failed: counts.failed,
            pending_at_end: counts.pending,
        }
    }
}

impl From<Vec<ScaleEvent>> for Scaling {
    fn from(events: Vec<ScaleEvent>) -> Self {
        let count = |action| events.iter().filter(|event| event.action == action).count() as u64;
        Self {
            ups: count(Action::ScaleUp),
            downs: count(Action::ScaleDown),
            failed: count(Action::Failed),
            events,
        }
    }
}

impl From<Rule> for RuleInfo {
    fn from(rule: Rule) -> Self {
        Self {
            rule: rule.id,
            direction: rule.direction,
            metric: rule.metric,
            threshold: rule.threshold,
            window: rule.window,
        }
    }
}

impl Billing {
    /// The sums of a ledger.
    pub fn new(currency: Currency, ledger: &[LedgerLine]) -> Self {
        let of = |primary| ledger.iter().filter(move |line| line.server.is_primary() == primary);
        let amount = |primary| of(primary).map(|line| line.amount).sum::<Money>();
        Self {
            currency,
            primary: amount(true),
            standby: amount(false),
            total: ledger.iter().map(|line| line.amount).sum(),
            standby_seconds_powered: of(false)
                .fold(Span::ZERO, |sum, line| sum + line.accounted)
                .as_secs_f64(),
            standby_seconds_billed: of(false)
                .fold(Span::ZERO, |sum, line| sum + line.charged)
                .as_secs_f64(),
        }
    }
}

impl Baseline {
    /// The bill if each of these servers, told by plan and pricing, had power from `from` to `to`.
    pub fn new<'a>(
        name: &str,
        assumes: String,
        servers: impl IntoIterator<Item = (&'a str, Pricing)>,
        (from, to): (Timestamp, Timestamp),
        zone: &TimeZone,
    ) -> Self {
        let plans: Vec<_> =
            servers.into_iter().map(|(plan, pricing)| (plan.to_owned(), pricing)).collect();
        let servers = plans.len() as u16;
        let mut meter = Meter::new(plans, zone.clone());
        for server in (0..servers).map(ServerId) {
            meter.fact(from, Fact::PowerChanged { server, on: true, commanded: true });
        }
        let total = meter.into_ledger(to).iter().map(|line| line.amount).sum();
        Self { name: name.to_owned(), assumes, total }
    }

    /// [`Self::new`] with all standbys always on.
    pub fn always_on<'a>(
        servers: impl IntoIterator<Item = (&'a str, Pricing)>,
        run: (Timestamp, Timestamp),
        zone: &TimeZone,
    ) -> Self {
        let assumes = "every standby has power for the whole run".to_owned();
        Self::new("always-on", assumes, servers, run, zone)
    }
}
