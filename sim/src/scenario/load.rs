//! Loads as they are written, and what they come to.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_core::Span;

use super::Fault;
use super::units::Length;
use crate::model::Piece;

/// A source of requests. Rates are in requests a second, times from the start of the run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LoadFile {
    /// The same rate throughout, or from `from` for `for`.
    Constant {
        /// The rate.
        rate: f64,
        /// Start. Default 0s.
        #[serde(default)]
        from: Span,
        /// Length. Default: to the end.
        #[serde(rename = "for")]
        length: Option<Span>,
        /// Factor on all rates. Default 1.
        scale: Option<f64>,
        /// Kind of its requests. Default: all, by weight.
        class: Option<String>,
    },
    /// Straight lines between points of time and rate.
    Curve {
        /// The points, in the order of time.
        points: Vec<(Span, f64)>,
        /// Factor on all rates. Default 1.
        scale: Option<f64>,
        /// Kind of its requests. Default: all, by weight.
        class: Option<String>,
    },
    /// Monday to Friday: a ramp from 8 to 10, a dip at 13, a ramp down from 17 to 19 o'clock.
    BusinessHours {
        /// Rate at the busiest.
        peak: f64,
        /// Rate at night and on other days.
        base: f64,
        /// Factor on all rates. Default 1.
        scale: Option<f64>,
        /// Kind of its requests. Default: all, by weight.
        class: Option<String>,
    },
    /// A base rate with one peak.
    FlashSale {
        /// Rate before and after.
        base: f64,
        /// Rate at the peak.
        peak: f64,
        /// When it begins to rise.
        at: Span,
        /// How long it rises.
        rise: Span,
        /// How long it stays.
        hold: Span,
        /// How long it falls.
        decay: Span,
        /// Factor on all rates. Default 1.
        scale: Option<f64>,
        /// Kind of its requests. Default: all, by weight.
        class: Option<String>,
    },
    /// A population that logs in, works with think time, and submits at the end.
    Exam {
        /// People.
        users: u32,
        /// When the first may log in.
        opens: Span,
        /// Time within which all log in.
        login_within: Span,
        /// Time from opening to the end.
        length: Span,
        /// Time before the end within which all submit.
        submit_within: Span,
        /// Think time.
        think: Length,
        /// Kind of the login.
        login: String,
        /// Kind of the work.
        work: String,
        /// Kind of the submission.
        submit: String,
        /// Tries after a failure. Default 3.
        retries: Option<u8>,
        /// Wait before the first retry. Default 2s.
        backoff: Option<Span>,
    },
    /// A trace: any CSV of a time or seconds column and a count column whose header names the unit.
    Trace {
        /// The file, relative to the scenario.
        file: String,
        /// Whether each row brings exactly its count. Default false.
        #[serde(default)]
        exact: bool,
        /// Factor on all counts. Default 1.
        scale: Option<f64>,
        /// Kind of its requests. Default: all, by weight.
        class: Option<String>,
    },
}

/// Straight lines through points.
pub fn curve(points: &[(Span, f64)], scale: f64) -> Vec<Piece> {
    let piece = |pair: &[(Span, f64)]| Piece {
        from: pair[0].0,
        to: pair[1].0,
        rate_from: pair[0].1 * scale,
        rate_to: pair[1].1 * scale,
    };
    points.windows(2).filter(|pair| pair[0].0 < pair[1].0).map(piece).collect()
}

/// Reads a trace; returns its pieces from zero and its length.
pub fn trace(path: &Path, scale: f64) -> Result<(Vec<Piece>, Span), Fault> {
    let shown = path.display();
    let refused = |message: String| Fault { path: Vec::new(), message, hint: None };
    let mut reader = csv::Reader::from_path(path)
        .map_err(|why| refused(format!("the trace {shown} cannot be read: {why}")))?;
    let headers = reader.headers().map_err(|why| refused(format!("{shown}: {why}")))?.clone();
    let time = headers.iter().position(|name| matches!(name, "timestamp" | "seconds"));
    let Some(time) = time else {
        return Err(refused(format!("{shown} has no column `timestamp` or `seconds`")));
    };
    let count = headers.iter().enumerate().find_map(|(index, name)| Some((index, unit_of(name)?)));
    let is_events = count.is_none() && &headers[time] == "seconds";
    if count.is_none() && !is_events {
        let names: Vec<&str> = headers.iter().collect();
        return Err(refused(format!(
            "{shown} has no column of requests among {}",
            names.join(", ")
        ))
        .hint("name its unit in the header: requests_per_minute, requests_per_5min, …"));
    }
    let (column, unit) = count.unwrap_or((time, 1));
    let mut rows: Vec<(f64, f64)> = Vec::new();
    for (index, row) in reader.records().enumerate() {
        let line = index + 2;
        let row = row.map_err(|why| refused(format!("{shown}:{line}: {why}")))?;
        let at = time_of(&row[time])
            .ok_or_else(|| refused(format!("{shown}:{line}: `{}` is not a time", &row[time])))?;
        let amount = if is_events { Some(1.0) } else { row[column].trim().parse().ok() };
        let amount = amount.filter(|amount: &f64| (0.0..=1e12).contains(amount));
        let amount = amount
            .ok_or_else(|| refused(format!("{shown}:{line}: `{}` is not a count", &row[column])))?;
        let at = if is_events { at.floor() } else { at };
        match rows.last_mut() {
            Some(last) if is_events && last.0 >= at => last.1 += amount,
            Some(last) if last.0 >= at => {
                return Err(refused(format!("{shown}:{line}: the time does not grow")));
            }
            _ => rows.push((at, amount)),
        }
    }
    if rows.is_empty() {
        return Err(refused(format!("{shown} has no rows")));
    }
    Ok(pieces(&rows, f64::from(unit), scale))
}

fn pieces(rows: &[(f64, f64)], unit: f64, scale: f64) -> (Vec<Piece>, Span) {
    let Some(&(first, _)) = rows.first() else { return (Vec::new(), Span::ZERO) };
    let span = |seconds: f64| Span::from_nanos((seconds * 1e9) as i64);
    let mut pieces = Vec::with_capacity(rows.len());
    for (index, (at, count)) in rows.iter().enumerate() {
        let next = rows.get(index + 1).map_or(f64::INFINITY, |row| row.0);
        let length = (next - at).min(unit);
        let rate = count * scale / length;
        let (from, to) = (span(at - first), span(at - first + length));
        pieces.push(Piece { from, to, rate_from: rate, rate_to: rate });
    }
    let end = pieces.last().map_or(Span::ZERO, |piece| piece.to);
    (pieces, end)
}

/// Seconds that a count is for: `requests_per_5min` is 300.
fn unit_of(header: &str) -> Option<u32> {
    let unit = header.trim().strip_prefix("requests_per_")?;
    let digits = unit.chars().take_while(char::is_ascii_digit).count();
    let number: u32 = if digits == 0 { 1 } else { unit[..digits].parse().ok()? };
    let seconds = match &unit[digits..] {
        "s" | "sec" | "second" | "seconds" => 1,
        "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "day" | "d" => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).filter(|seconds| *seconds > 0)
}

fn time_of(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.trim().parse::<f64>() {
        return seconds.is_finite().then_some(seconds);
    }
    let civil: jiff::civil::DateTime = text.trim().parse().ok()?;
    let instant = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
    Some(instant.as_second() as f64)
}
