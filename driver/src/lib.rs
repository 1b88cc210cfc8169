//! The live driver: the same core against real infrastructure. It has no parts yet.
