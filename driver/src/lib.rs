//! The live driver: the same core against real infrastructure.
//!
//! [`ports`] are what it needs of the world, as traits.

pub mod ports;
