//! What became of the jobs, from the lists in Redis into which they write themselves.

use std::collections::BTreeMap;
use std::process::Command;

use tidegate_core::fact::Fact;
use tidegate_core::record::Told;
use tidegate_core::{JobId, ServerId, Timestamp};

use super::failure::{Failure, read};
use super::host::{Host, folder};

/// A line that a job has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    /// The number that it was sent with.
    pub sent_as: u64,
    pub server: ServerId,
    pub at: Timestamp,
}

/// What all jobs have written.
#[derive(Clone, Debug, Default)]
pub(super) struct Jobs {
    pub started: Vec<Noted>,
    pub done: Vec<Noted>,
}

/// Jobs that wait or run.
pub(super) fn pending() -> Result<u64, Failure> {
    let number = |arguments: &[&str]| {
        let text = redis(arguments)?;
        let wrong = |_| Failure::said("count the jobs", text.clone());
        text.trim().parse::<u64>().map_err(wrong)
    };
    let taken = number(&["llen", "rq:queue:default:intermediate"])?;
    Ok(number(&["llen", "rq:queue:default"])? + taken + number(&["zcard", "rq:wip:default"])?)
}

/// Reads what they have written.
pub(super) fn read_all() -> Result<Jobs, Failure> {
    let list = |name: &str| {
        let text = redis(&["lrange", name, "0", "-1"])?;
        let wrong = |line: &str| Failure::said("read what jobs have written", line.to_owned());
        let lines = text.lines().filter(|line| !line.is_empty());
        lines.map(|line| noted(line).ok_or_else(|| wrong(line))).collect::<Result<Vec<_>, _>>()
    };
    Ok(Jobs { started: list("staging:started")?, done: list("staging:done")? })
}

fn noted(line: &str) -> Option<Noted> {
    let mut words = line.split(' ');
    let (number, server, at) = (words.next()?, words.next()?, words.next()?);
    Some(Noted {
        sent_as: number.parse().ok()?,
        server: Host::server(server)?,
        at: Timestamp::from_nanos(at.parse().ok()?),
    })
}

fn redis(arguments: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new("redis-cli");
    command.arg("-s").arg(folder().join("redis.sock")).arg("--raw").args(arguments);
    let ended = command.output().map_err(|why| Failure::io("run `redis-cli`", why))?;
    if !ended.status.success() {
        return Err(Failure::said("ask Redis", String::from_utf8_lossy(&ended.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
}

/// Of each job that was accepted, the number that it was sent with, in the order of its new number.
pub(super) fn accepted() -> Result<Vec<u64>, Failure> {
    let text = read(&folder().join("accepted.json"))?;
    serde_json::from_str(&text)
        .map_err(|why| Failure::said("read `accepted.json`", why.to_string()))
}

impl Jobs {
    /// As facts, under the numbers that the accepted ones were given. One whose answer was an error
    /// has no number.
    pub fn facts(&self, accepted: &[u64]) -> Vec<Told> {
        let numbers: BTreeMap<_, _> = accepted.iter().copied().zip((0..).map(JobId)).collect();
        let started = self.started.iter().filter_map(|noted| {
            let (job, server) = (*numbers.get(&noted.sent_as)?, noted.server);
            Some(Told::Fact { at: noted.at, fact: Fact::JobStarted { job, server } })
        });
        let done = self.done.iter().filter_map(|noted| {
            let (job, server) = (*numbers.get(&noted.sent_as)?, noted.server);
            Some(Told::Fact { at: noted.at, fact: Fact::JobCompleted { job, server } })
        });
        let mut lines: Vec<_> = started.chain(done).collect();
        lines.sort_by_key(Told::at);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_told_under_their_new_numbers() {
        let jobs = Jobs {
            started: vec![noted("7 app2 50").unwrap(), noted("4 app1 30").unwrap()],
            done: vec![noted("7 app2 60").unwrap()],
        };
        let (job, server) = (JobId(0), ServerId(1));
        let told = |at, fact| Told::Fact { at: Timestamp::from_nanos(at), fact };
        let started = told(50, Fact::JobStarted { job, server });
        let done = told(60, Fact::JobCompleted { job, server });
        assert_eq!(jobs.facts(&[7]), [started, done]);
        assert_eq!(noted("7 app9 50"), None);
    }
}
