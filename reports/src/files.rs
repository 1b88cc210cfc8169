//! The files of a run: `summary.json`, `timeline.csv`, `ledger.csv`.

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::Serialize;
use tidegate_core::record::{LocalTime, RunRecord, Simulation, Summary};
use tidegate_core::{Ratio, Timestamp};

/// Why a file of the report could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write {}: {why}", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// What went wrong.
    pub why: String,
}

/// The summary as pretty JSON with a last line end: what `summary.json` holds.
pub fn summary_json(summary: &Summary) -> String {
    pretty(summary)
}

/// The summary with a last key `simulation`, for standard output.
pub fn run_json(summary: &Summary, simulation: &Simulation) -> String {
    #[derive(Serialize)]
    struct Whole<'a> {
        #[serde(flatten)]
        summary: &'a Summary,
        simulation: &'a Simulation,
    }
    pretty(&Whole { summary, simulation })
}

fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

fn zone_of(record: &RunRecord) -> TimeZone {
    TimeZone::get(&record.zone).unwrap_or(TimeZone::UTC)
}

fn percent(ratio: Option<Ratio>) -> String {
    ratio.map_or_else(String::new, |ratio| format!("{:.2}", ratio.as_percent()))
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.3}"))
}

/// The run over time, a row an interval; a value that is not known is empty.
///
/// # Errors
/// If `out` cannot be written.
pub fn timeline_csv(record: &RunRecord, out: impl Write) -> csv::Result<()> {
    let zone = zone_of(record);
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([
        "at",
        "arrived",
        "served",
        "failed",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "in_flight",
        "jobs_pending",
        "cpu_percent",
        "memory_percent",
        "servers_serving",
        "servers_powered",
        "servers_wanted",
        "capacity_per_second",
        "cost",
    ])?;
    for row in &record.timeline.rows {
        csv.write_record([
            LocalTime::new(row.at, &zone).to_string(),
            row.arrived.to_string(),
            row.served.to_string(),
            row.failed.to_string(),
            number(row.p50_ms),
            number(row.p95_ms),
            number(row.p99_ms),
            row.in_flight.to_string(),
            row.jobs_pending.to_string(),
            percent(row.cpu),
            percent(row.memory),
            row.serving.to_string(),
            row.powered.to_string(),
            row.wanted.to_string(),
            format!("{:.1}", row.capacity_per_second),
            row.cost.to_string(),
        ])?;
    }
    csv.flush()?;
    Ok(())
}

/// The bill, a row a line.
///
/// # Errors
/// If `out` cannot be written.
pub fn ledger_csv(record: &RunRecord, out: impl Write) -> csv::Result<()> {
    let zone = zone_of(record);
    let shown = |at: Timestamp| LocalTime::new(at, &zone).to_string();
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([
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
    ])?;
    for line in &record.ledger {
        csv.write_record([
            line.server.to_string(),
            line.plan.clone(),
            shown(line.from),
            shown(line.to),
            format!("{:.3}", line.accounted.as_secs_f64()),
            line.charged.as_secs_ceil().to_string(),
            format!("{:?}", line.unit).to_lowercase(),
            line.unit_price.to_string(),
            line.amount.to_string(),
            record.summary.billing.currency.to_string(),
        ])?;
    }
    csv.flush()?;
    Ok(())
}

/// Writes `summary.json`, `timeline.csv` and `ledger.csv` into `directory`, which exists.
///
/// # Errors
/// If one of them cannot be written.
pub fn write_all(record: &RunRecord, directory: &Path) -> Result<(), WriteError> {
    let (mut timeline, mut ledger) = (Vec::new(), Vec::new());
    let failed = |name: &str, why: String| WriteError { path: directory.join(name), why };
    timeline_csv(record, &mut timeline).map_err(|why| failed("timeline.csv", why.to_string()))?;
    ledger_csv(record, &mut ledger).map_err(|why| failed("ledger.csv", why.to_string()))?;
    let summary = summary_json(&record.summary).into_bytes();
    for (name, bytes) in
        [("summary.json", summary), ("timeline.csv", timeline), ("ledger.csv", ledger)]
    {
        let written = std::fs::write(directory.join(name), bytes);
        written.map_err(|why| failed(name, why.to_string()))?;
    }
    Ok(())
}
