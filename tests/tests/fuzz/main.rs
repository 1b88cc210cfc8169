//! Whatever is written, reading it ends in a model or in an error with its place; never in a panic.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod change;
mod journals;
mod live;
mod scenarios;
mod texts;

use proptest::test_runner::{Config, RngSeed};

/// The same cases each time, so that a change is judged by itself alone; `PROPTEST_RNG_SEED` draws
/// others.
fn config(cases: u32) -> Config {
    let given = Config::default();
    let rng_seed = match given.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        chosen @ RngSeed::Fixed(_) => chosen,
    };
    Config { cases, rng_seed, failure_persistence: None, ..given }
}

/// Inputs as texts; what is none is shown as far as it can be.
fn texts_of(inputs: Vec<Vec<u8>>) -> Vec<String> {
    inputs.into_iter().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}
