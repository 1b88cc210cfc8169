//! Times, lengths and numbers as people read them.

use jiff::tz::TimeZone;
use tidegate_core::record::{LocalTime, RunRecord};
use tidegate_core::{Span, Timestamp};

pub use tidegate_core::explain::words::{length, moment};

const NS_PER_SECOND: i64 = 1_000_000_000;

/// The zone of a record; UTC if its name is not known.
pub fn zone_of(record: &RunRecord) -> TimeZone {
    TimeZone::get(&record.zone).unwrap_or(TimeZone::UTC)
}

/// `at` in `zone`, after a `strftime` pattern.
pub fn local(at: Timestamp, zone: &TimeZone, pattern: &str) -> String {
    at.to_jiff().to_zoned_datetime(zone.clone()).strftime(pattern).to_string()
}

/// `at` as RFC 3339 with the offset of `zone`.
pub fn rfc3339(at: Timestamp, zone: &TimeZone) -> String {
    LocalTime::new(at, zone).to_string()
}

/// Shows the moments of one run: with their date only if it lasts longer than a day.
pub struct Clock {
    zone: TimeZone,
    pattern: &'static str,
}

impl Clock {
    /// For the moments of `record`.
    pub fn new(record: &RunRecord) -> Self {
        let one_day = record.end.since(record.start) <= Span::from_hours(24);
        let pattern = if one_day { "%H:%M:%S" } else { "%b %d %H:%M:%S" };
        Self { zone: zone_of(record), pattern }
    }

    /// `at`, as short as it can be.
    pub fn show(&self, at: Timestamp) -> String {
        local(at, &self.zone, self.pattern)
    }

    /// The zone.
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

/// A length from seconds; what is not a length counts as none.
pub fn length_of_seconds(seconds: f64) -> String {
    length(Span::from_nanos((seconds * NS_PER_SECOND as f64) as i64))
}

/// Exact seconds as a decimal number.
pub fn exact_seconds(span: Span) -> String {
    let (whole, rest) = (span.as_nanos() / NS_PER_SECOND, span.as_nanos() % NS_PER_SECOND);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{}", format!("{rest:09}").trim_end_matches('0'))
}

/// A count with its thousands apart: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun, in the plural where it belongs.
pub fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A rate, short: `950`, `12.3k`, `4.56M`.
pub fn rate(number: f64) -> String {
    match number {
        n if !n.is_finite() => "unknown".to_owned(),
        n if n >= 1e6 => format!("{:.2}M", n / 1e6),
        n if n >= 1e4 => format!("{:.1}k", n / 1e3),
        n => format!("{n:.0}"),
    }
}

/// Milliseconds, or seconds from ten of them on.
pub fn millis(ms: Option<f64>) -> String {
    match ms {
        None => "none".to_owned(),
        Some(ms) if !ms.is_finite() => "unknown".to_owned(),
        Some(ms) if ms >= 10_000.0 => format!("{:.1} s", ms / 1_000.0),
        Some(ms) if ms >= 100.0 => format!("{ms:.0} ms"),
        Some(ms) => format!("{ms:.1} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(rate(f64::NAN), "unknown");
        assert_eq!(rate(12_345.0), "12.3k");
        assert_eq!(millis(Some(12_345.0)), "12.3 s");
        assert_eq!(exact_seconds(Span::from_millis(1_500)), "1.5");
        assert_eq!(length(Span::from_nanos(165_000_000_001)), "2m 45s");
        assert_eq!(length_of_seconds(f64::NAN), "0s");
    }
}
