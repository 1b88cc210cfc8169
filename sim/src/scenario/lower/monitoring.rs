//! How the world is measured, and whether a policy could live on that.

use tidegate_core::Span;

use crate::model::{MonitoredFrom, Monitoring};
use crate::scenario::Fault;
use crate::scenario::file::{MonitoredFromFile, MonitoringFile, ScenarioFile};

/// Samples that a range may hold.
const SAMPLES_MAX: i64 = 100_000;

pub(super) fn monitoring(file: &ScenarioFile) -> Result<Monitoring, Fault> {
    let given = file.monitoring;
    check_lengths(&given)?;
    let monitoring = Monitoring {
        from: match given.from {
            MonitoredFromFile::Boot => MonitoredFrom::Boot,
            MonitoredFromFile::Serving => MonitoredFrom::Serving,
        },
        scrape: given.scrape.unwrap_or(Span::from_secs(15)),
        evaluate: given.evaluate.unwrap_or(Span::from_secs(15)),
        range: given.range.unwrap_or(Span::from_mins(1)),
        look_back: given.look_back.unwrap_or(Span::from_mins(5)),
        delay: given.delay.unwrap_or(Span::from_secs(2)),
        health: given.health.unwrap_or(Span::from_secs(5)),
    };
    check_kept(monitoring)?;
    if file.group.standbys != Some(0) {
        check_age(file, monitoring)?;
        check_values(monitoring)?;
    }
    Ok(monitoring)
}

fn at(key: &str, message: impl Into<String>) -> Fault {
    Fault::at(&format!("monitoring.{key}"), message)
}

fn check_lengths(given: &MonitoringFile) -> Result<(), Fault> {
    for (name, span) in [
        ("scrape", given.scrape),
        ("evaluate", given.evaluate),
        ("range", given.range),
        ("look_back", given.look_back),
        ("health", given.health),
    ] {
        if span.is_some_and(|span| span < Span::from_millis(10)) {
            return Err(at(name, "must be at least 10ms"));
        }
    }
    for (name, span) in
        [("range", given.range), ("look_back", given.look_back), ("delay", given.delay)]
    {
        if span.is_some_and(|span| span > Span::from_hours(24)) {
            return Err(at(name, "must be at most 1d"));
        }
    }
    Ok(())
}

/// Samples are kept for the range and until they are seen.
fn check_kept(monitoring: Monitoring) -> Result<(), Fault> {
    let scrape = monitoring.scrape.as_nanos();
    for (name, span) in [("range", monitoring.range), ("delay", monitoring.delay)] {
        if span.as_nanos() / scrape > SAMPLES_MAX {
            return Err(at(name, format!("holds more than {SAMPLES_MAX} samples"))
                .hint("sample less often, or over a shorter time"));
        }
    }
    Ok(())
}

/// A rule needs samples that are younger than the policy takes as evidence.
fn check_age(file: &ScenarioFile, monitoring: Monitoring) -> Result<(), Fault> {
    let policy = &file.policy;
    let oldest = monitoring.scrape + monitoring.delay;
    let stale = policy.evidence.stale_after;
    if oldest < stale || policy.up.is_empty() && policy.down.is_empty() {
        return Ok(());
    }
    let message = format!(
        "a sample may be {oldest} old, and the policy takes none older than {stale}: \
         no rule could fire"
    );
    let hint = "sample more often, or raise `policy.evidence.stale_after`";
    Err(at("scrape", message).hint(hint))
}

/// A server may be released only while its CPU and memory are known.
fn check_values(monitoring: Monitoring) -> Result<(), Fault> {
    let Monitoring { scrape, range, look_back, delay, .. } = monitoring;
    if range < scrape + scrape + delay {
        let message = format!("{range} do not always hold two samples, which a `rate` needs");
        return Err(at("range", message).hint("sample more often, or raise `monitoring.range`"));
    }
    if look_back < scrape + delay {
        let message = format!("{look_back} do not always hold a sample");
        let hint = "sample more often, or raise `monitoring.look_back`";
        return Err(at("look_back", message).hint(hint));
    }
    Ok(())
}
