//! Drives a scenario's load against the proxy and writes what became of each request.
//!
//! The load is open: a request is sent when its time has come, whatever became of those before.
//! Arrivals, kinds and costs are drawn from the streams of the simulator, so that a run of the same
//! scenario and seed there has the same ones. Nothing is tried twice.

mod client;
mod facts;
mod plan;
mod waits;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tidegate_core::Timestamp;
use tidegate_sim::model::Model;
use tokio::task::JoinSet;

use super::config::{Scenario, Tempo};
use super::failure::Failure;

use client::{Client, Clock};
use plan::Plan;

pub(super) use facts::json_lines;

#[derive(Debug, Args)]
pub(crate) struct LoadArguments {
    /// The scenario.
    scenario: PathBuf,
    /// What is changed in it.
    #[arg(long)]
    set: Vec<String>,
    /// Seconds of its load that pass in one.
    #[arg(long, default_value_t = 1)]
    speed: u32,
    /// When it begins, in nanoseconds since the Unix epoch.
    #[arg(long)]
    start: i64,
}

/// Whether a scenario's load can be driven, without doing so.
pub(super) fn check(model: &Model) -> Result<(), Failure> {
    Plan::new(model, Tempo { start: model.start, speed: 1 }).map(drop)
}

/// Sends all requests, waits until each has ended, and writes the files.
pub(super) fn run(arguments: &LoadArguments) -> Result<(), Failure> {
    let LoadArguments { scenario: path, set, .. } = arguments;
    let model = Scenario { path: path.clone(), set: set.clone() }.read()?;
    let start = Timestamp::from_nanos(arguments.start);
    let mut plan = Plan::new(&model, Tempo { start, speed: arguments.speed })?;
    let threads = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let threads = threads.map_err(|why| Failure::io("start the runtime", why))?;
    let ended = threads.block_on(async {
        let clock = Clock::start();
        let client = Arc::new(Client::new(clock));
        let mut under_way = JoinSet::new();
        let mut ended = Vec::new();
        while let Some(planned) = plan.next() {
            let due = (start + planned.after).since(clock.now()).as_nanos();
            tokio::time::sleep(Duration::from_nanos(due.unsigned_abs())).await;
            let client = Arc::clone(&client);
            under_way.spawn(async move { client.send(planned).await });
            while let Some(Ok(one)) = under_way.try_join_next() {
                ended.push(one);
            }
        }
        ended.extend(under_way.join_all().await);
        ended
    });
    facts::write(ended)
}
