//! Simulators written by hand for one model each, with nothing but what the model needs: what the
//! simulator is measured against.

mod best_queue;
mod events;
mod histogram;
mod line;
mod plain_queue;
mod web;

pub(crate) use best_queue::best_queue;
pub(crate) use plain_queue::plain_queue;
pub(crate) use web::web;

/// What a simulation found.
pub(crate) struct Found {
    /// Events that it processed.
    pub events: u64,
    /// Mean of the times that it reports, in milliseconds.
    pub mean_ms: f64,
    /// Their 99th percentile.
    pub p99_ms: f64,
}

/// The seed of the loops; each answer below is that of this seed.
const SEED: u64 = 1;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLISECOND;

/// The queue that all simulate: eight servers of 100 ms, 64 arrivals a second.
const SERVERS: usize = 8;
const QUEUE_SERVICE_NS: f64 = 100.0 * MILLISECOND as f64;
const QUEUE_GAP_NS: f64 = SECOND as f64 / 64.0;
