//! `tidegate run`, `check` and `schema` from the outside: exit codes, what is printed, what is
//! written.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod check;
mod desk;
mod faults;
mod fleet;
mod output;
mod refusals;
