//! What became of the requests, as facts in a file.
//!
//! `requests.jsonl` has a fact a line, in the order of time. Jobs are numbered anew there, those
//! that were accepted alone; `accepted.json` has the number that each had when it was sent, and
//! `failures.jsonl` how each failure looked from the client.

use std::collections::BTreeMap;

use serde::Serialize;
use tidegate_core::fact::{Fact, FailureCause};
use tidegate_core::record::Told;
use tidegate_core::{JobId, RequestId, ServerId, Span, Timestamp};

use super::client::{Broken, Ended};
use super::waits;
use crate::staging::failure::{Failure, write as write_file};
use crate::staging::host::{Host, folder};

#[derive(Serialize)]
struct FailureLine {
    at: Timestamp,
    server: Option<u16>,
    after_ms: f64,
    is_post: bool,
    what: String,
}

/// Which server says that it took a request up: the proxy does not tell of one whose connection it
/// closed without an answer.
fn takers() -> BTreeMap<u64, ServerId> {
    let mut takers = BTreeMap::new();
    for (host, id) in Host::SERVERS.into_iter().zip(0..) {
        // A server that never ran has no file.
        let taken = std::fs::read_to_string(host.took()).unwrap_or_default();
        let numbers = taken.lines().filter_map(|line| line.parse().ok());
        takers.extend(numbers.map(|number| (number, ServerId(id))));
    }
    takers
}

/// Writes the files.
pub(super) fn write(mut ended: Vec<Ended>) -> Result<(), Failure> {
    ended.sort_by_key(|one| one.sent);
    let (takers, waits) = (takers(), waits::read());
    for one in &mut ended {
        one.server = one.server.or_else(|| takers.get(&one.planned.number).copied());
    }
    let accepted = ended.iter().filter(|one| one.result.is_ok());
    let accepted: Vec<u64> = accepted.filter_map(|one| Some(one.planned.job?.0)).collect();
    let mut lines = Vec::new();
    let mut jobs = 0;
    for one in &ended {
        let waited = waits.get(&one.planned.number).copied().unwrap_or_default();
        lines.extend(facts(RequestId(one.planned.number), one, waited));
        if one.planned.job.is_some() && one.result.is_ok() {
            let fact = Fact::JobEnqueued { job: JobId(jobs) };
            lines.push(Told::Fact { at: one.sent, fact });
            jobs += 1;
        }
    }
    lines.sort_by_key(Told::at);
    let failures = ended.iter().filter_map(|one| {
        let what = one.result.as_ref().err()?;
        let what = match what {
            Broken::Connect(why) => format!("connect: {why}"),
            Broken::Reset(why) => format!("reset: {why}"),
            Broken::TimedOut => "time-out".to_owned(),
            Broken::Status(status) => format!("status {status}"),
        };
        Some(FailureLine {
            at: one.sent,
            server: one.server.map(|server| server.0),
            after_ms: one.answered.since(one.sent).as_secs_f64() * 1e3,
            is_post: one.planned.job.is_some(),
            what,
        })
    });
    let folder = folder();
    write_file(&folder.join("requests.jsonl"), json_lines(lines)?)?;
    write_file(&folder.join("failures.jsonl"), json_lines(failures)?)?;
    write_file(&folder.join("accepted.json"), serde_json::Value::from(accepted).to_string())
}

/// Values in JSON, a line each.
pub(in crate::staging) fn json_lines<T: Serialize>(
    values: impl IntoIterator<Item = T>,
) -> Result<String, Failure> {
    let mut text = String::new();
    for value in values {
        let line = serde_json::to_string(&value);
        text += &line.map_err(|why| Failure::said("write a fact", why.to_string()))?;
        text.push('\n');
    }
    Ok(text)
}

/// A request that waited for a server to have room is routed only then.
fn facts(request: RequestId, one: &Ended, waited: Span) -> Vec<Told> {
    let latency = one.answered.since(one.sent);
    let mut lines = vec![Told::Fact { at: one.sent, fact: Fact::RequestArrived { request } }];
    if let Some(server) = one.server {
        let at = (one.sent + waited).min(one.answered);
        lines.push(Told::Fact { at, fact: Fact::RequestRouted { request, server } });
    }
    let end = match (&one.result, one.server) {
        (Ok(()), Some(server)) => {
            Fact::RequestServed { request, server, latency, wait: Span::ZERO }
        }
        (Ok(()), None) => failed(request, one, FailureCause::Unreachable),
        (Err(broken), _) => failed(request, one, cause(broken, one.server.is_some())),
    };
    lines.push(Told::Fact { at: one.answered, fact: end });
    lines
}

fn failed(request: RequestId, one: &Ended, cause: FailureCause) -> Fact {
    let after = one.answered.since(one.sent);
    Fact::RequestFailed { request, server: one.server, cause, after }
}

const fn cause(broken: &Broken, routed: bool) -> FailureCause {
    match (broken, routed) {
        (Broken::TimedOut | Broken::Status(504), _) => FailureCause::TimedOut,
        (Broken::Status(502) | Broken::Reset(_), true) => FailureCause::Killed,
        (Broken::Status(503), true) => FailureCause::QueueFull,
        (Broken::Status(503), false) => FailureCause::NoServer,
        (Broken::Status(500), _) => FailureCause::Unavailable,
        (Broken::Status(_), _) => FailureCause::Refused,
        (Broken::Connect(_) | Broken::Reset(_), _) => FailureCause::Unreachable,
    }
}
