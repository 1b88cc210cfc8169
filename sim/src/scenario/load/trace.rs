//! Traces: a CSV of times and counts.

use std::path::Path;

use tidegate_core::Span;

use crate::model::{Piece, RATE_MAX};
use crate::scenario::Fault;
use crate::scenario::table::Table;

/// Which columns of a trace are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns {
    time: usize,
    /// The count, and the seconds that it is for; a file of events has none.
    count: Option<(usize, u32)>,
}

/// Reads a trace; returns its pieces from zero and its length.
pub fn trace(path: &Path, scale: f64) -> Result<(Vec<Piece>, Span), Fault> {
    read_trace(&Table::read(path, "trace")?, scale)
}

fn read_trace(table: &Table, scale: f64) -> Result<(Vec<Piece>, Span), Fault> {
    let mut reader = table.reader();
    let headers = reader.headers().map_err(|why| table.broken(&why))?;
    let columns = columns(headers, table)?;
    let unit = f64::from(columns.count.map_or(1, |(_, unit)| unit));
    let mut rows: Vec<(f64, f64)> = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|why| table.broken(&why))?;
        take_row(&row, columns, &mut rows)
            .map_err(|(cell, message)| table.fault_in(&row, Some(cell), message))?;
        if let [.., (before, count), (at, _)] = rows[..]
            && count * scale / (at - before).min(unit) > RATE_MAX
        {
            let message = format!("the row before brings more than {RATE_MAX} requests a second");
            return Err(table.fault_in(&row, None, message));
        }
    }
    if rows.is_empty() {
        return Err(table.fault("the trace has no rows"));
    }
    Ok(pieces(&rows, unit, scale))
}

/// Names of a count that does not say for how long it is.
const UNITLESS: [&str; 6] = ["requests", "count", "counts", "visits", "hits", "value"];

fn columns(headers: &csv::StringRecord, table: &Table) -> Result<Columns, Fault> {
    let time = headers.iter().position(|name| matches!(name, "timestamp" | "time" | "seconds"));
    let missing = "the trace has no column `timestamp`, `time` or `seconds`";
    let time = time.ok_or_else(|| table.fault(missing))?;
    let count = headers.iter().enumerate().find_map(|(index, name)| Some((index, unit_of(name)?)));
    let unitless = headers.iter().any(|name| UNITLESS.contains(&name));
    if count.is_none() && (unitless || &headers[time] != "seconds") {
        let names: Vec<&str> = headers.iter().collect();
        let message = format!("no column says how many requests came, among {}", names.join(", "));
        let hint = "name the unit in the header: requests_per_minute, requests_per_5min, …";
        return Err(table.fault(message).hint(hint));
    }
    Ok(Columns { time, count })
}

/// Adds a row to those before it; an event counts in the second in which it comes. A refusal names
/// the cell.
fn take_row(
    row: &csv::StringRecord,
    columns: Columns,
    rows: &mut Vec<(f64, f64)>,
) -> Result<(), (usize, String)> {
    let (time, text) = (columns.time, &row[columns.time]);
    let at = time_of(text).ok_or_else(|| (time, format!("`{text}` is not a time")))?;
    let backwards = || (time, "the time does not grow".to_owned());
    let Some((column, _)) = columns.count else {
        let second = at.floor();
        match rows.last_mut() {
            Some(last) if last.0 > second => return Err(backwards()),
            Some(last) if last.0 >= second => last.1 += 1.0,
            _ => rows.push((second, 1.0)),
        }
        return Ok(());
    };
    let count = row[column].parse().ok().filter(|count: &f64| (0.0..=1e12).contains(count));
    let count = count.ok_or_else(|| (column, format!("`{}` is not a count", &row[column])))?;
    if rows.last().is_some_and(|last| last.0 >= at) {
        return Err(backwards());
    }
    rows.push((at, count));
    Ok(())
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
    let unit = header.strip_prefix("requests_per_")?;
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

/// Seconds since some origin: a number, a moment with its offset, or a clock's reading.
fn time_of(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds.is_finite().then_some(seconds);
    }
    let instant = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
    })?;
    Some(instant.as_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Vec<Piece>, Span), Fault> {
        read_trace(&Table::of("trace.csv", text), 1.0)
    }

    /// From, to in seconds, and the rate of each piece.
    fn rates(text: &str) -> Vec<(f64, f64, f64)> {
        let (pieces, _) = read(text).unwrap();
        let seconds = |span: Span| span.as_secs_f64();
        pieces
            .iter()
            .map(|piece| (seconds(piece.from), seconds(piece.to), piece.rate_from))
            .collect()
    }

    #[test]
    fn the_header_names_the_unit_and_the_first_row_is_the_start() {
        for (header, unit) in [
            ("requests_per_second", 1.0),
            ("requests_per_minute", 60.0),
            ("requests_per_5min", 300.0),
            ("requests_per_15min", 900.0),
            ("requests_per_hour", 3_600.0),
            ("requests_per_day", 86_400.0),
        ] {
            let text = format!("timestamp,{header}\n2026-01-01 10:00:00,120\n");
            assert_eq!(rates(&text), [(0.0, unit, 120.0 / unit)], "{header}");
        }
    }

    #[test]
    fn a_gap_between_rows_brings_nothing_and_a_short_row_keeps_its_count() {
        let text = "seconds,requests_per_minute\n0,60\n300,60\n330,60\n";
        assert_eq!(rates(text), [(0.0, 60.0, 1.0), (300.0, 330.0, 2.0), (330.0, 390.0, 1.0)]);
    }

    #[test]
    fn a_file_of_events_brings_one_request_a_row_in_its_second() {
        let text = "seconds,tokens\n7.2,1\n7.9,1\n9.0,1\n";
        assert_eq!(rates(text), [(0.0, 1.0, 2.0), (2.0, 3.0, 1.0)]);
    }

    #[test]
    fn times_may_bear_an_offset_or_stand_in_a_column_called_time() {
        let offset =
            "time,requests_per_second\n2026-01-01T00:00:00Z,1\n2026-01-01T01:00:02+01:00,3\n";
        assert_eq!(rates(offset), [(0.0, 1.0, 1.0), (2.0, 3.0, 3.0)]);
        let spaced = "time, requests_per_second\n0, 1\n1, 2\n";
        assert_eq!(rates(spaced), [(0.0, 1.0, 1.0), (1.0, 2.0, 2.0)]);
    }

    #[test]
    fn what_is_no_trace_is_refused_where_it_stands() {
        let no_count = read("timestamp,cpu_percent\n2026-01-01 00:00:00,3\n").unwrap_err();
        assert!(no_count.message.ends_with("among timestamp, cpu_percent"), "{no_count:?}");
        assert!(no_count.hint.is_some());
        for (text, message, at) in [
            ("a,b\n1,2\n", "no column `timestamp`, `time` or `seconds`", "a,b"),
            ("seconds,visits\n1,2\n", "how many requests", "seconds,visits"),
            ("seconds,requests_per_second\n", "no rows", "seconds,requests_per_second"),
            ("seconds,requests_per_second\n0,1\nx,1\n", "`x` is not a time", "x"),
            ("seconds,requests_per_second\n0,-1\n", "`-1` is not a count", "-1"),
            ("seconds,requests_per_second\n1,1\n1,1\n", "the time does not grow", "1"),
            ("seconds,tokens\n3,1\n1,1\n", "the time does not grow", "1"),
            ("seconds,requests_per_second\n0,1e9\n0.1,1\n0.2,3\n", "requests a second", "0.1,1"),
            ("seconds,requests_per_second\n0,1\n1\n2,1\n", "1 field", "1"),
        ] {
            let fault = read(text).unwrap_err();
            assert!(fault.message.contains(message), "{text}: {}", fault.message);
            let span = fault.elsewhere.unwrap().span.unwrap();
            assert_eq!(&text[span], at, "{text}");
        }
    }
}
