//! Flows against requests one by one, and against queueing theory.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod shipped;
