//! Tests across the workspace's crates; they lie in `tests/`. Here is what they share with the fuzz
//! targets in `fuzz-targets/`.

pub mod fuzz;
pub mod shipped;
