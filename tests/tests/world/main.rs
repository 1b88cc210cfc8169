//! What the simulated world does with commands and requests, read from its facts.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod append;
mod cache;
mod checks;
mod connections;
mod files;
mod hosted;
mod hot_sites;
mod memory;
mod monitoring;
mod overload;
mod redis;
mod retries;
mod snapshot;
mod sticky;
mod workers;

use std::path::Path;

use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::{
    Command, CommandId, CommandKind, Failure, Generation, Outcome, ServerId, Span, Timestamp,
};
use tidegate_sim::model::Model;
use tidegate_sim::scenario::{Overrides, parse};
use tidegate_sim::world::{Notice, World};

const MINUTE: u64 = 60_000_000_000;
const STANDBY: ServerId = ServerId(1);

const SCENARIO: &str = r#"
start = "2026-03-02T10:00[UTC]"
duration = "30m"
plans.m = { vcpu = 4, memory = "16GiB", price = "300 USD/month" }
plans.l = { vcpu = 8, memory = "32GiB", price = "600 USD/month" }
group = { primary = "m" }
server = { boot = "30s", services = "30s" }
request = [{ name = "page", phases = [{ cpu = "20ms" }] }]
load = [{ kind = "constant", rate = 100.0 }]
"#;

#[derive(Default)]
struct Facts(Vec<(Timestamp, Fact)>);

impl FactSink for Facts {
    fn fact(&mut self, at: Timestamp, fact: Fact) {
        self.0.push((at, fact));
    }
}

fn model(set: &[&str]) -> Model {
    let set = set.iter().map(ToString::to_string).collect();
    let overrides = Overrides { set, ..Overrides::default() };
    parse("w", "w.toml", SCENARIO, Path::new("."), &overrides).unwrap()
}

fn world(set: &[&str]) -> World<Facts> {
    World::new(model(set), Span::from_mins(1), Facts::default())
}

fn command(id: u64, generation: u64, kind: CommandKind) -> Command {
    let (id, generation) = (CommandId(id), Generation(generation));
    Command { id, server: STANDBY, generation, deadline: Timestamp::MAX, kind }
}

fn join(weight: u16, slow_start: Span) -> CommandKind {
    CommandKind::Join { weight, slow_start }
}

/// Runs until `id` has ended; how it did.
fn outcome(world: &mut World<Facts>, id: u64) -> Outcome {
    loop {
        let notice = world.advance(u64::MAX - 1);
        if let Some(Notice::Completed { id: CommandId(ended), outcome, .. }) = notice
            && ended == id
        {
            return outcome;
        }
    }
}

fn pass(world: &mut World<Facts>, minutes: u64) {
    let end = world.now() + minutes * MINUTE;
    while world.advance(end).is_some() {}
}

/// A world whose standby takes its share of the traffic.
fn joined(set: &[&str], join: CommandKind) -> World<Facts> {
    let mut world = world(set);
    for (id, kind) in [CommandKind::PowerOn, CommandKind::StartServices, join].iter().enumerate() {
        world.execute(command(id as u64, 1, *kind));
        assert_eq!(outcome(&mut world, id as u64), Outcome::Done);
    }
    world.sink.0.clear();
    world
}

/// The standby's share of the requests that were routed since it was last asked.
fn share(world: &mut World<Facts>) -> f64 {
    let facts = std::mem::take(&mut world.sink.0);
    let server_of = |(_, fact): &(Timestamp, Fact)| {
        let Fact::RequestRouted { server, .. } = fact else { return None };
        Some(*server)
    };
    let routed: Vec<ServerId> = facts.iter().filter_map(server_of).collect();
    routed.iter().filter(|server| **server == STANDBY).count() as f64 / routed.len() as f64
}

#[test]
fn traffic_is_split_by_weight() {
    let mut even = joined(&[], join(4, Span::ZERO));
    pass(&mut even, 1);
    assert!((share(&mut even) - 0.5).abs() < 0.001);
    let mut larger = joined(&["group.standby=l"], join(8, Span::ZERO));
    pass(&mut larger, 1);
    assert!((share(&mut larger) - 2.0 / 3.0).abs() < 0.001);
}

#[test]
fn a_slow_start_raises_the_share_in_steps() {
    let mut world = joined(&[], join(4, Span::from_mins(4)));
    let shares: Vec<f64> = (0..6)
        .map(|_| {
            pass(&mut world, 1);
            share(&mut world)
        })
        .collect();
    // Steps of a twentieth: in the first minute the weight is 0, 5, … 20 % of the primary's.
    let first = [0.0, 0.05, 0.10, 0.15, 0.20].map(|weight| weight / (1.0 + weight));
    let expected = first.iter().sum::<f64>() / 5.0;
    assert!((shares[0] - expected).abs() < 0.01, "{shares:?}, first {expected}");
    assert!(shares.windows(2).take(4).all(|pair| pair[0] < pair[1]), "{shares:?}");
    assert!((shares[5] - 0.5).abs() < 0.001, "{shares:?}");
}

#[test]
fn least_connections_spares_the_server_that_is_slow() {
    let set = ["proxy.balance=least-connections", "plans.l.vcpu=1", "group.standby=l"];
    let mut world = joined(&set, join(4, Span::ZERO));
    pass(&mut world, 2);
    let least = share(&mut world);
    let mut world = joined(&set[1..], join(4, Span::ZERO));
    pass(&mut world, 2);
    let even = share(&mut world);
    assert!(least < even - 0.1, "{least} against {even}");
}

#[test]
fn an_out_of_date_command_is_refused_and_a_repeated_one_changes_nothing() {
    let mut world = world(&[]);
    world.execute(command(0, 2, CommandKind::PowerOn));
    world.execute(command(0, 2, CommandKind::PowerOn));
    world.execute(command(1, 1, CommandKind::PowerOff));
    assert_eq!(outcome(&mut world, 1), Outcome::Failed(Failure::Fenced));
    assert_eq!(outcome(&mut world, 0), Outcome::Done);
    assert_eq!(outcome(&mut world, 0), Outcome::Done);
    let power =
        |fact: &&(Timestamp, Fact)| matches!(fact.1, Fact::PowerChanged { server: STANDBY, .. });
    assert_eq!(world.sink.0.iter().filter(power).count(), 1);
}

#[test]
fn a_higher_generation_overtakes_a_command_that_is_under_way() {
    let mut world = world(&[]);
    world.execute(command(0, 1, CommandKind::PowerOn));
    world.execute(command(1, 2, CommandKind::PowerOff));
    assert_eq!(outcome(&mut world, 1), Outcome::Done);
    assert_eq!(outcome(&mut world, 0), Outcome::Failed(Failure::Fenced));
}

/// 100 requests a second of 50 ms each need five database servers, however many application servers
/// wait for them.
#[test]
fn more_application_servers_do_not_cure_a_database_that_is_too_small() {
    let latency = |database: &str, standby: bool| {
        let set = [
            "request.0.phases=[{ cpu = \"1ms\" }, { database = { exponential = \"50ms\" } }]",
            database,
        ];
        let kind = if standby { join(4, Span::ZERO) } else { CommandKind::Drain };
        let mut world = joined(&set, kind);
        pass(&mut world, 5);
        let served = |(_, fact): &(Timestamp, Fact)| {
            let Fact::RequestServed { latency, .. } = fact else { return None };
            Some(latency.as_secs_f64())
        };
        let all: Vec<f64> = world.sink.0.iter().filter_map(served).collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    let (small, small_two) =
        (latency("database.servers=4", false), latency("database.servers=4", true));
    assert!(small_two > small * 0.8, "{small} alone, {small_two} with a standby");
    assert!(latency("database.servers=12", false) < small / 10.0);
}
