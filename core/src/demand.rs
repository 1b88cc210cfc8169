//! Demands on the number of servers, and who wins.

pub mod schedule;
