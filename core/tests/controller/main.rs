//! The controller against a scripted host: sequences, decisions, restarts.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod alerts;
mod decisions;
mod host;
mod restart;
mod sequences;
