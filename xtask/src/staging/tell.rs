//! What the person at the terminal is told.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::ValueEnum;

/// Nanoseconds since the Unix epoch.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Says a line.
#[expect(clippy::print_stdout, reason = "the line is for the person at the terminal")]
pub(super) fn say(line: &str) {
    println!("{line}");
}

/// A value as it is given on the command line.
pub(super) fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}
