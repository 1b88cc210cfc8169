//! What planted defects make of facts and of the bill.

use tidegate_core::billing::{LedgerLine, Unit};
use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::policy::Policy;
use tidegate_core::{Defect, Defects, GroupConfig, Money, Span, Timestamp};

use super::Sinks;
use crate::model::Model;
use crate::scenario::moment;

/// Of the answers, one in so many is lost.
const LOST: u64 = 100;
/// A cent in micro-units.
const CENT: i64 = 10_000;

/// The defects of a run, and what they need to know.
#[derive(Debug)]
pub(super) struct Planted {
    pub defects: Defects,
    served: u64,
    /// The last scale-down that is booked.
    booked: Option<Timestamp>,
}

impl Planted {
    pub fn new(model: &Model) -> Self {
        let GroupConfig { defects, policy, .. } = &model.group;
        Self { defects: *defects, served: 0, booked: last_booked(policy) }
    }
}

fn last_booked(policy: &Policy) -> Option<Timestamp> {
    policy.schedule.iter().filter_map(|schedule| moment(schedule.until.as_ref()?)).max()
}

impl Sinks<'_> {
    /// Tells what defects leave of `fact`.
    #[cold]
    #[inline(never)]
    #[expect(clippy::wildcard_enum_match_arm, reason = "defects concern these facts alone")]
    pub(super) fn tell_distorted(&mut self, at: Timestamp, fact: Fact) {
        let defects = self.planted.defects;
        match fact {
            Fact::RequestServed { request, server, latency, wait } => {
                self.planted.served += 1;
                if defects.has(Defect::LoseAnAnswer) && self.planted.served.is_multiple_of(LOST) {
                    return;
                }
                let more = i64::from(defects.has(Defect::WrongLatency));
                let latency = latency + Span::from_millis(more);
                self.tell(at, Fact::RequestServed { request, server, latency, wait });
            }
            Fact::JobCompleted { .. } => {
                if defects.has(Defect::WorkTwice) {
                    self.panel.fact(at, fact);
                }
                self.tell(at, fact);
            }
            Fact::PowerChanged { server, on, .. } if !server.is_primary() => {
                self.panel.fact(at, fact);
                self.counts.fact(at, fact);
                let forgotten = defects.has(Defect::BillTheStandby) && !on;
                if !forgotten && !defects.has(Defect::BillTheIntention) {
                    self.meter.fact(self.billed(at, on), fact);
                }
            }
            Fact::RoutingChanged { server, receives: on @ true }
                if defects.has(Defect::BillTheIntention) =>
            {
                self.tell(at, fact);
                self.meter.fact(at, Fact::PowerChanged { server, on, commanded: true });
            }
            Fact::ServicesStopped { server } if defects.has(Defect::BillTheIntention) => {
                self.tell(at, fact);
                self.meter.fact(at, Fact::PowerChanged { server, on: false, commanded: true });
            }
            _ => self.tell(at, fact),
        }
    }

    /// The time that the bill has for a standby's power.
    fn billed(&self, at: Timestamp, on: bool) -> Timestamp {
        let wrong = self.planted.defects.has(Defect::BillPreBooked) && !on;
        self.planted.booked.filter(|booked| wrong && *booked > at).unwrap_or(at)
    }
}

/// The ledger as defects leave it: hourly prices may be rounded to cents.
pub(super) fn priced(mut ledger: Vec<LedgerLine>, defects: Defects) -> Vec<LedgerLine> {
    let hourly = ledger.iter_mut().filter(|line| line.unit == Unit::Hour);
    for line in hourly.filter(|_| defects.has(Defect::RoundedPrice)) {
        let cents = (line.unit_price.micros() + CENT / 2) / CENT;
        line.amount = Money::from_micros(cents * CENT * line.charged.as_secs_ceil() / 3_600);
    }
    ledger
}
