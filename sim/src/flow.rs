//! Flows: what a group does when its requests are counted and not followed one by one.
//!
//! Each server's population follows the pointwise stationary fluid flow approximation (Wang,
//! Tipper and Banerjee 1996): dn/dt = λ − θ, where θ is the throughput at which the stationary
//! system holds n requests on average. Below saturation that is the stationary mean, above it
//! the fluid limit. A step is implicit Euler, stable at any length. Around the mean, latencies are
//! those of the stationary system: the slowdown of shared cores and the waits at stations and for
//! workers.
//!
//! Nothing here draws at random: the same model gives the same flows under any seed.

mod erlang;
mod jobs;
mod latency;
mod load;
mod means;
mod overflow;
mod people;
mod root;
mod server;
mod station;
mod system;
mod tables;

pub(crate) use jobs::{JobFlows, Workers};
pub(crate) use latency::Conditions;
pub(crate) use load::Cumulative;
pub(crate) use means::{Means, station};
pub(crate) use people::Population;
pub(crate) use server::{Answered, Offered, ServerFlow, Site};
pub(crate) use station::Stations;
pub(crate) use tables::Tables;
