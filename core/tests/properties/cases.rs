//! How many cases a property is tried on, and which; tests of other crates share it.

use proptest::test_runner::{Config, RngSeed};

/// The same cases each time, so that a change is judged by itself alone; `PROPTEST_RNG_SEED` draws
/// others.
pub fn config(cases: u32) -> Config {
    let given = Config::default();
    let rng_seed = match given.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        chosen @ RngSeed::Fixed(_) => chosen,
    };
    Config { cases, rng_seed, failure_persistence: None, ..given }
}
