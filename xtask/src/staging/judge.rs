//! What a rehearsal comes to: what is counted, and whether all held.

use std::collections::BTreeMap;

use serde::Deserialize;
use tidegate_core::fact::Fact;
use tidegate_core::record::Told;
use tidegate_core::{Ratio, ServerId, Span, Timestamp};

use super::failure::{Failure, read};
use super::host::{Host, folder};
use super::jobs::Jobs;
use super::predicted::Outcome;
use super::tell::say;

/// A line of the standby's power log.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Power {
    pub server: ServerId,
    pub event: String,
    pub at: Timestamp,
}

/// All that a run has left.
#[derive(Debug)]
pub(super) struct Evidence {
    pub start: Timestamp,
    pub requests: Vec<Told>,
    pub jobs: Jobs,
    pub accepted: Vec<u64>,
    pub power: Vec<Power>,
    /// When the proxy began and ceased to route to the standby.
    pub routed: Vec<(Timestamp, bool)>,
    /// How often the controller was killed at random moments.
    pub kills: u64,
    /// Faults that never began, or have not ended.
    pub missed: Vec<String>,
}

/// Reads lines of JSON.
pub(super) fn lines<T: serde::de::DeserializeOwned>(name: &str) -> Result<Vec<T>, Failure> {
    let path = folder().join(name);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let wrong = |why: serde_json::Error| Failure::said(format!("read `{name}`"), why.to_string());
    read(&path)?.lines().map(|line| serde_json::from_str(line).map_err(wrong)).collect()
}

/// The standby's power log.
pub(super) fn power() -> Result<Vec<Power>, Failure> {
    lines("power.jsonl")
}

/// Whether the standby is off by its log.
pub(super) fn is_off(power: &[Power]) -> bool {
    power.last().is_none_or(|last| last.event == "off")
}

/// What did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    RequestsFailed,
    JobsLost,
    JobsTwice,
    StandbyNotOff,
    NothingScaled,
    Property,
    Replay,
    Ledger,
    Expectation,
    FaultMissed,
    NotAsSimulated,
}

impl Broken {
    pub const fn what(self) -> &'static str {
        match self {
            Self::RequestsFailed => "requests failed: target/staging/failures.jsonl has them",
            Self::JobsLost => "jobs that were accepted were not done",
            Self::JobsTwice => "jobs were done twice",
            Self::StandbyNotOff => "the standby is not off at the end",
            Self::NothingScaled => "nothing was scaled",
            Self::Property => "a property does not hold: the record tells which",
            Self::Expectation => "the scenario expects something else",
            Self::Ledger => "the ledger is not what the provider tells",
            Self::Replay => "the record does not give the same run again",
            Self::FaultMissed => "a fault never began, or has not ended",
            Self::NotAsSimulated => "the outcome is not the one that the simulation has",
        }
    }
}

/// Prints what happened; what did not hold. Of the record it is told whether its properties hold,
/// whether it gives the same run again and has the provider's times, and which expectations it does
/// not meet. Where the outcome is foretold, that one has to come.
pub(super) fn judge(
    evidence: &Evidence,
    [held, same, agree]: [bool; 3],
    unmet: &[String],
    foretold: Option<&[Outcome; 2]>,
) -> Vec<Broken> {
    let failed = tell_requests(&evidence.requests);
    let [twice, lost] = tell_jobs(&evidence.jobs, &evidence.accepted);
    tell_scaling(evidence);
    if evidence.kills > 0 {
        say(&format!("Controller killed and started again {} times", evidence.kills));
    }
    for what in unmet {
        say(&format!("Not met    {what}"));
    }
    for what in &evidence.missed {
        say(&format!("Missed     {what}"));
    }
    let is_as_foretold = foretold.is_none_or(|[told, actual]| told.came_true(actual));
    let found = [
        (failed > 0, Broken::RequestsFailed),
        (lost > 0, Broken::JobsLost),
        (twice > 0, Broken::JobsTwice),
        (!is_off(&evidence.power), Broken::StandbyNotOff),
        (evidence.power.is_empty(), Broken::NothingScaled),
        (!held, Broken::Property),
        (!same, Broken::Replay),
        (!agree, Broken::Ledger),
        (!unmet.is_empty(), Broken::Expectation),
        (!evidence.missed.is_empty(), Broken::FaultMissed),
        (!is_as_foretold, Broken::NotAsSimulated),
    ];
    let allowed = |one: &Broken| foretold.is_some_and(|[told, _]| told.allows(*one));
    let broken = found.into_iter().filter_map(|(is, one)| is.then_some(one));
    let broken: Vec<_> = broken.filter(|one| !allowed(one)).collect();
    for one in &broken {
        say(&format!("FAILED: {}", one.what()));
    }
    if broken.is_empty() {
        say(if failed + twice + lost == 0 {
            "HELD: no request failed, each job was done exactly once, the standby is off"
        } else {
            "HELD: what failed is what the simulation says, the standby is off"
        });
    }
    broken
}

#[derive(Default)]
struct Tally {
    served: u64,
    failed: u64,
}

/// How many failed.
fn tell_requests(requests: &[Told]) -> u64 {
    let mut tallies: BTreeMap<Option<ServerId>, Tally> = BTreeMap::new();
    let mut latencies = Vec::new();
    for line in requests {
        let Told::Fact { fact, .. } = line else { continue };
        if let Fact::RequestServed { server, latency, .. } = *fact {
            tallies.entry(Some(server)).or_default().served += 1;
            latencies.push(latency);
        } else if let Fact::RequestFailed { server, .. } = *fact {
            tallies.entry(server).or_default().failed += 1;
        }
    }
    latencies.sort_unstable();
    let failed = tallies.values().map(|tally| tally.failed).sum();
    let sent = tallies.values().map(|tally| tally.served).sum::<u64>() + failed;
    let by = tallies.iter().map(|(server, Tally { served, failed })| {
        let name = server.map_or("no server", name);
        format!("{name} {served} served {failed} failed")
    });
    say(&format!("Requests   {sent} sent, {failed} failed; {}", list(by)));
    let of = |percent| shown(percentile(&latencies, Ratio::from_percent(percent)));
    say(&format!("Latency    p50 {}, p99 {}, max {}", of(50), of(99), of(100)));
    failed
}

fn percentile(sorted: &[Span], share: Ratio) -> Span {
    let index = (sorted.len() as f64 * f64::from(share.ppm()) / 1e6).ceil() as usize;
    sorted.get(index.saturating_sub(1)).copied().unwrap_or_default()
}

/// How many were done twice, and how many not at all.
fn tell_jobs(jobs: &Jobs, accepted: &[u64]) -> [u64; 2] {
    let mut done: BTreeMap<u64, u64> = BTreeMap::new();
    let mut by: BTreeMap<ServerId, u64> = BTreeMap::new();
    for noted in &jobs.done {
        *done.entry(noted.sent_as).or_default() += 1;
        *by.entry(noted.server).or_default() += 1;
    }
    let of = |id: &u64| done.get(id).copied().unwrap_or(0);
    let lost = accepted.iter().filter(|id| of(id) == 0).count() as u64;
    let twice = done.values().filter(|times| **times > 1).count() as u64;
    let by = list(by.iter().map(|(server, count)| format!("{} {count}", name(*server))));
    let (accepted, done) = (accepted.len(), done.len());
    say(&format!("Jobs       {accepted} accepted, {done} done ({by}), {twice} twice, {lost} lost"));
    [twice, lost]
}

fn tell_scaling(evidence: &Evidence) {
    let since = |at: Timestamp| {
        let nanos = at.as_nanos() - evidence.start.as_nanos();
        format!("{:.1} s", nanos as f64 / 1e9)
    };
    let power = evidence.power.iter().filter(|power| !power.server.is_primary());
    let power = power.map(|power| (power.at, format!("power {}", power.event)));
    let routed = evidence
        .routed
        .iter()
        .map(|(at, on)| (*at, (if *on { "joined the proxy" } else { "drains" }).to_owned()));
    let mut events: Vec<_> = power.chain(routed).collect();
    events.sort();
    let mut began = None;
    for (at, what) in events {
        if what == "power on" || what == "drains" {
            began = Some(at);
        }
        let after = began.filter(|began| *began < at).map_or_else(String::new, |began| {
            format!(", {:.1} s later", at.since(began).as_secs_f64())
        });
        say(&format!("Standby    {:>8}  {what}{after}", since(at)));
    }
}

fn shown(span: Span) -> String {
    format!("{:.0} ms", span.as_secs_f64() * 1e3)
}

fn name(server: ServerId) -> &'static str {
    Host::SERVERS.get(server.index()).map_or("another", |host| host.name())
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
