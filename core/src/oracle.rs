//! Oracles read facts and steps, and say what was violated, when and why.
