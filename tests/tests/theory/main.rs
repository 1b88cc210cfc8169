//! The simulated world against queueing theory.
//!
//! Each model of the textbooks is an ordinary scenario. Independent replications, one a seed, give
//! means with confidence intervals, and all intervals of a test hold together at 99.9 %.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod closed;
mod flows;
mod idling;
mod loss;
mod mdc;
mod mg1;
mod mmc;
mod network;
mod poisson;
mod queue;
mod record;
mod sharing;
mod shipped;
mod stats;
mod table;
mod transient;
