//! What the person at the terminal is told.

use std::time::{SystemTime, UNIX_EPOCH};

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
