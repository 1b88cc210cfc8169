//! What each port and the store promise, kept by a fake and by what stands in front of the real
//! software, which runs on loopback in a folder of the test's own.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod alerts;
mod doctor;
mod enable;
mod health;
mod jobs;
mod metrics;
mod provider;
mod proxy;
mod rules;
mod ssh;
mod store;
mod support;
mod whole;
