//! What is computed, against restatements that are slow and plain.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod cases;
mod demands;
mod ledger;
mod schedules;
mod values;
mod windows;

use cases::config;
