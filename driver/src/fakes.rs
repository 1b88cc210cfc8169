//! Stand-ins for the world, for tests and for trying a configuration out: a clock that a test
//! holds, a store in memory, and a group of servers behind every port, whose answers are scripted.

mod clock;
mod group;
mod store;

pub use clock::VirtualClock;
pub use group::{Answer, Applied, FakeGroup, Times};
pub use store::MemoryStore;
