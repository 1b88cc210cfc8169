//! Whatever is written, reading it ends in a model or in an error with its place; never in a panic.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

#[path = "../../../core/tests/properties/cases.rs"]
mod cases;
mod change;
mod journals;
mod live;
mod scenarios;
mod texts;

use cases::config;

/// Inputs as texts; what is none is shown as far as it can be.
fn texts_of(inputs: Vec<Vec<u8>>) -> Vec<String> {
    inputs.into_iter().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}
