//! The live driver: the same core against real infrastructure.
//!
//! [`ports`] are what it needs of the world, as traits; [`adapters`] are behind them in front of
//! real software. A [`store`] keeps what must survive it. The [`runtime`] hosts the controllers and
//! carries their commands out.

pub mod adapters;
pub mod clock;
pub mod fakes;
pub mod ports;
pub mod runtime;
pub mod store;
