//! A line of CSV for each request, on demand.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use tidegate_core::fact::{Fact, FactSink, FailureCause};
use tidegate_core::record::LocalTime;
use tidegate_core::{RequestId, ServerId, Span, Timestamp};

/// Writes each request as it is answered. The first failure to write is kept, and ends the writing.
pub(super) struct RequestTrace<'a> {
    out: &'a mut (dyn Write + Send),
    zone: TimeZone,
    answer_delay: Span,
    failure: Option<io::Error>,
}

struct Answer {
    request: RequestId,
    server: Option<ServerId>,
    latency: Span,
    wait: Option<Span>,
    outcome: &'static str,
}

impl<'a> RequestTrace<'a> {
    /// Times are shown in `zone`; an answer was told `answer_delay` before it arrived.
    pub fn new(out: &'a mut (dyn Write + Send), zone: TimeZone, answer_delay: Span) -> Self {
        let header = writeln!(out, "request,arrived,server,latency_ms,wait_ms,outcome");
        Self { out, zone, answer_delay, failure: header.err() }
    }

    /// Whether all was written.
    pub fn close(self) -> io::Result<()> {
        match self.failure {
            Some(failure) => Err(failure),
            None => self.out.flush(),
        }
    }

    fn write(&mut self, at: Timestamp, answer: &Answer) {
        if self.failure.is_some() {
            return;
        }
        let arrived = LocalTime::new(at - answer.latency, &self.zone);
        let ms = |span: Span| span.as_nanos() as f64 / 1e6;
        let server = answer.server.map_or_else(String::new, |server| server.to_string());
        let wait = answer.wait.map_or_else(String::new, |wait| ms(wait).to_string());
        let (request, latency, outcome) = (answer.request.0, ms(answer.latency), answer.outcome);
        let line = writeln!(self.out, "{request},{arrived},{server},{latency},{wait},{outcome}");
        self.failure = line.err();
    }
}

impl FactSink for RequestTrace<'_> {
    fn fact(&mut self, at: Timestamp, fact: Fact) {
        if let Fact::RequestServed { request, server, latency, wait } = fact {
            let (server, wait) = (Some(server), Some(wait));
            let answer = Answer { request, server, latency, wait, outcome: "served" };
            self.write(at + self.answer_delay, &answer);
        } else if let Fact::RequestFailed { request, server, cause, after } = fact {
            let outcome = outcome(cause);
            self.write(at, &Answer { request, server, latency: after, wait: None, outcome });
        }
    }
}

const fn outcome(cause: FailureCause) -> &'static str {
    match cause {
        FailureCause::QueueFull => "queue-full",
        FailureCause::NoServer => "no-server",
        FailureCause::Refused => "refused",
        FailureCause::Killed => "killed",
        FailureCause::OutOfMemory => "out-of-memory",
        FailureCause::Overloaded => "overloaded",
        FailureCause::TimedOut => "timed-out",
        FailureCause::RedisFull => "redis-full",
        FailureCause::Unreachable => "unreachable",
        FailureCause::Unavailable => "unavailable",
    }
}
