//! The controller against a scripted host: sequences, decisions, restarts.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod alerts;
mod clock;
mod decisions;
mod doubts;
mod host;
mod limits;
mod metamorphic;
mod reference;
mod restart;
mod sequences;
