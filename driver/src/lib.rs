//! The live driver: the same core against real infrastructure.
//!
//! [`ports`] are what it needs of the world, as traits; [`adapters`] are behind them in front of
//! real software. A [`store`] keeps what must survive it. The [`runtime`] hosts the controllers and
//! carries their commands out. [`live`] does all of it from a [`config`]; [`doctor`] tells whether
//! it could, [`enable`](mod@enable) tries it.

pub mod adapters;
pub mod clock;
pub mod config;
pub mod doctor;
pub mod enable;
pub mod fakes;
mod fence;
#[cfg(test)]
mod fuzz;
pub mod http;
pub mod live;
pub mod ports;
pub mod reconcile;
pub mod record;
pub mod rules;
pub mod runtime;
pub mod store;
mod threads;
mod tls;
pub mod words;
