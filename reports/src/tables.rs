//! The timeline and the ledger as CSV.

use std::io::Write;

use jiff::tz::TimeZone;
use tidegate_core::billing::{LedgerLine, Unit};
use tidegate_core::record::{GroupRow, RunRecord, TimelineRow};
use tidegate_core::{Currency, Ratio};

use crate::format::{exact_seconds, rfc3339, zone_of};

/// Why a table could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the table could not be written")]
pub struct TableError(#[from] csv::Error);

impl From<std::io::Error> for TableError {
    fn from(error: std::io::Error) -> Self {
        Self(error.into())
    }
}

const TIMELINE: [&str; 17] = [
    "at",
    "arrived_requests",
    "served_requests",
    "failed_requests",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "in_flight_requests",
    "pending_jobs",
    "cpu_percent",
    "memory_percent",
    "serving_servers",
    "powered_servers",
    "wanted_servers",
    "capacity_requests_per_second",
    "cost",
    "currency",
];

const LEDGER: [&str; 10] = [
    "server",
    "plan",
    "from",
    "to",
    "accounted_seconds",
    "charged_seconds",
    "unit",
    "unit_price",
    "amount",
    "currency",
];

/// Writes the groups of a fleet: a header, then one line a group.
///
/// # Errors
/// If `out` cannot be written.
pub fn groups_csv(groups: &[GroupRow], out: impl Write) -> Result<(), TableError> {
    let mut table = csv::Writer::from_writer(out);
    groups.iter().try_for_each(|group| table.serialize(group))?;
    Ok(table.flush()?)
}

/// Writes the timeline: a header, then one line an interval; `at` is the end of the interval.
pub fn timeline_csv(record: &RunRecord, out: impl Write) -> Result<(), TableError> {
    let zone = zone_of(record);
    let mut table = csv::Writer::from_writer(out);
    table.write_record(TIMELINE)?;
    for row in &record.timeline.rows {
        table.write_record(interval(row, record.summary.billing.currency, &zone))?;
    }
    Ok(table.flush()?)
}

fn interval(row: &TimelineRow, currency: Currency, zone: &TimeZone) -> [String; 17] {
    [
        rfc3339(row.at, zone),
        row.arrived.to_string(),
        row.served.to_string(),
        row.failed.to_string(),
        millis(row.p50_ms),
        millis(row.p95_ms),
        millis(row.p99_ms),
        row.in_flight.to_string(),
        row.jobs_pending.to_string(),
        percent(row.cpu),
        percent(row.memory),
        row.serving.to_string(),
        row.powered.to_string(),
        row.wanted.to_string(),
        format!("{:.3}", row.capacity_per_second),
        row.cost.to_string(),
        currency.to_string(),
    ]
}

fn millis(ms: Option<f64>) -> String {
    ms.map_or_else(String::new, |ms| format!("{ms:.3}"))
}

fn percent(share: Option<Ratio>) -> String {
    share.map_or_else(String::new, |share| format!("{:.4}", share.as_percent()))
}

/// Writes the ledger: a header, then one line for each ledger line, and no sum.
pub fn ledger_csv(record: &RunRecord, out: impl Write) -> Result<(), TableError> {
    let zone = zone_of(record);
    let mut table = csv::Writer::from_writer(out);
    table.write_record(LEDGER)?;
    for line in &record.ledger {
        table.write_record(ledger_line(line, record.summary.billing.currency, &zone))?;
    }
    Ok(table.flush()?)
}

fn ledger_line(line: &LedgerLine, currency: Currency, zone: &TimeZone) -> [String; 10] {
    let unit = match line.unit {
        Unit::Hour => "hour",
        Unit::Month => "month",
    };
    [
        line.server.to_string(),
        line.plan.clone(),
        rfc3339(line.from, zone),
        rfc3339(line.to, zone),
        exact_seconds(line.accounted),
        exact_seconds(line.charged),
        unit.to_owned(),
        line.unit_price.to_string(),
        line.amount.to_string(),
        currency.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_timeline_has_a_header_and_a_line_an_interval() {
        let record = fixture::record();
        let mut bytes = Vec::new();
        timeline_csv(&record, &mut bytes).expect("writes");
        let text = String::from_utf8(bytes).expect("is text");
        assert!(text.starts_with("at,arrived_requests,served_requests,"));
        assert_eq!(text.lines().count(), 1 + record.timeline.rows.len());
        assert!(
            text.lines().nth(1).is_some_and(|row| row.starts_with("2026-03-02T00:01:00+01:00"))
        );
    }

    #[test]
    fn the_ledger_has_a_header_and_no_sum() {
        let record = fixture::record();
        let mut bytes = Vec::new();
        ledger_csv(&record, &mut bytes).expect("writes");
        let text = String::from_utf8(bytes).expect("is text");
        assert_eq!(text.lines().next(), Some(LEDGER.join(",").as_str()));
        assert_eq!(text.lines().count(), 1 + record.ledger.len());
    }
}
