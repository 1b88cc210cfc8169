//! Tests across the workspace's crates; they lie in `tests/`.
