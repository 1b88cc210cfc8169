//! Stand-ins for the world, for tests and for trying a configuration out: a clock that a test
//! holds, and a store in memory.

mod clock;
mod store;

pub use clock::VirtualClock;
pub use store::MemoryStore;
