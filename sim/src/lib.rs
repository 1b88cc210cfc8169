//! The simulated world of Tidegate: seeded, discrete-event, in integer time.
//!
//! A [`model::Model`] goes in; facts, steps and a run record come out. No clock is read, no file is
//! written, and every draw comes from a stream that the seed and a name determine: the same model
//! gives the same bytes on every machine.

pub mod alertmanager;
pub mod arrivals;
pub mod chance;
pub mod check;
pub mod cpu;
pub mod events;
pub mod fleet;
mod flow;
pub mod lru;
pub mod model;
pub mod prometheus;
pub mod provider;
pub mod replicate;
pub mod run;
pub mod scenario;
mod side_by_side;
pub mod slab;
pub mod station;
pub mod world;
