//! The live driver's runtime, on ports that stand in for the world.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod crash;
mod day;
mod hosts;
mod parity;
mod recorded;
mod replayed;
