//! The live driver: the same core against real infrastructure.
//!
//! [`ports`] are what it needs of the world, as traits. A [`store`] keeps what must survive it.

pub mod clock;
pub mod ports;
pub mod store;
