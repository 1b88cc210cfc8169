//! What truly happened. A simulated world emits facts; a live run makes them from the records of
//! the proxy, Redis and the provider.

use serde::{Deserialize, Serialize};

use crate::ids::{FileId, Generation, JobId, RequestId, ServerId};
use crate::observation::Ratio;
use crate::time::{Span, Timestamp};

/// One thing that happened. Facts come in the order of their times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// A request reached the proxy.
    RequestArrived {
        /// Which.
        request: RequestId,
    },
    /// The proxy sent it to a server.
    RequestRouted {
        /// Which.
        request: RequestId,
        /// Where.
        server: ServerId,
    },
    /// The server that it was sent to refused it, and the proxy sends it to another.
    RequestRedispatched {
        /// Which.
        request: RequestId,
        /// Who refused it.
        server: ServerId,
    },
    /// It was answered.
    RequestServed {
        /// Which.
        request: RequestId,
        /// By whom.
        server: ServerId,
        /// From arrival to answer.
        latency: Span,
        /// From arrival until a web worker took it up.
        wait: Span,
    },
    /// It got an error, or nothing.
    RequestFailed {
        /// Which.
        request: RequestId,
        /// Where it was, if it was routed.
        server: Option<ServerId>,
        /// Why.
        cause: FailureCause,
        /// From arrival to the error.
        after: Span,
    },
    /// A server has finished with a request whose client had been answered with an error before.
    RequestAbandoned {
        /// Which.
        request: RequestId,
        /// Where it ran on.
        server: ServerId,
    },
    /// A job was put into a queue.
    JobEnqueued {
        /// Which.
        job: JobId,
    },
    /// A worker took it up.
    JobStarted {
        /// Which.
        job: JobId,
        /// On which server.
        server: ServerId,
    },
    /// It is done.
    JobCompleted {
        /// Which.
        job: JobId,
        /// On which server.
        server: ServerId,
    },
    /// Redis came back without it: it waits in no queue.
    JobLost {
        /// Which.
        job: JobId,
    },
    /// Its worker was killed; the job is in no queue.
    JobKilled {
        /// Which.
        job: JobId,
        /// On which server.
        server: ServerId,
    },
    /// It ended with an error, and counts as failed where its queue is kept.
    JobFailed {
        /// Which.
        job: JobId,
        /// On which server.
        server: ServerId,
    },
    /// Redis had no memory left and evicted it from its queue.
    JobEvicted {
        /// Which.
        job: JobId,
    },
    /// A server's machine changed its state.
    PowerChanged {
        /// Which server.
        server: ServerId,
        /// Whether it is up, from the first moment that is billed.
        on: bool,
        /// Whether a command did it. A crash or a plan change by hand is not commanded.
        commanded: bool,
    },
    /// A server became able, or unable, to answer requests: benches, storage, Redis, workers.
    ReadyChanged {
        /// Which server.
        server: ServerId,
        /// Whether it is.
        ready: bool,
    },
    /// Something that no command did took a server's services away, and what they worked on.
    Broke {
        /// Which server.
        server: ServerId,
    },
    /// The proxy was told to route to a server, or not to.
    RoutingChanged {
        /// Which server.
        server: ServerId,
        /// Whether it receives new requests.
        receives: bool,
    },
    /// A server's services were stopped.
    ServicesStopped {
        /// Which server.
        server: ServerId,
    },
    /// A server closed a file of the shared storage that it had written.
    FileWritten {
        /// Which file.
        file: FileId,
        /// How often it has been written by now.
        version: u32,
        /// By whom.
        server: ServerId,
    },
    /// A server opened a file of the shared storage to read it.
    FileRead {
        /// Which file.
        file: FileId,
        /// The version that it gets to see.
        version: u32,
        /// By whom.
        server: ServerId,
    },
    /// Monitoring looked at all serving servers. Of one that it did not see now, what it saw last
    /// counts for as long as the policy takes that for evidence, unless alerts are listened to.
    Sampled {
        /// Mean busy share of their cores over the metric's range.
        cpu: Ratio,
        /// Mean used share of their memory.
        memory: Ratio,
        /// The oldest of the last samples that these rest on.
        taken: Timestamp,
    },
    /// A command had its effect.
    CommandApplied {
        /// On which server.
        server: ServerId,
        /// The fence that it carried.
        generation: Generation,
    },
    /// A host of this term has taken the controller over.
    TookOver {
        /// Its term.
        term: u32,
    },
    /// A fault of this number begins.
    FaultBegan {
        /// Its position among the scenario's faults.
        fault: u16,
    },
    /// It has ended.
    FaultEnded {
        /// Its position among the scenario's faults.
        fault: u16,
    },
    /// Requests or jobs that are counted and not told one by one.
    Flow(Flow),
}

impl Fact {
    /// The server that it is about, if it is about one.
    pub const fn server(&self) -> Option<ServerId> {
        match *self {
            Self::RequestRouted { server, .. }
            | Self::RequestRedispatched { server, .. }
            | Self::RequestServed { server, .. }
            | Self::RequestAbandoned { server, .. }
            | Self::JobStarted { server, .. }
            | Self::JobCompleted { server, .. }
            | Self::JobKilled { server, .. }
            | Self::JobFailed { server, .. }
            | Self::PowerChanged { server, .. }
            | Self::ReadyChanged { server, .. }
            | Self::Broke { server }
            | Self::RoutingChanged { server, .. }
            | Self::ServicesStopped { server }
            | Self::FileWritten { server, .. }
            | Self::FileRead { server, .. }
            | Self::CommandApplied { server, .. }
            | Self::Flow(
                Flow::Routed { server, .. }
                | Flow::Served { server, .. }
                | Flow::JobsStarted { server, .. }
                | Flow::JobsCompleted { server, .. }
                | Flow::JobsKilled { server, .. },
            ) => Some(server),
            Self::RequestFailed { server, .. } | Self::Flow(Flow::Failed { server, .. }) => server,
            Self::RequestArrived { .. }
            | Self::JobEnqueued { .. }
            | Self::JobLost { .. }
            | Self::JobEvicted { .. }
            | Self::Sampled { .. }
            | Self::TookOver { .. }
            | Self::FaultBegan { .. }
            | Self::FaultEnded { .. }
            | Self::Flow(Flow::Arrived { .. } | Flow::Took { .. } | Flow::JobsEnqueued { .. }) => {
                None
            }
        }
    }

    /// Whether it is about one request or many.
    pub const fn is_of_requests(&self) -> bool {
        matches!(
            self,
            Self::RequestArrived { .. }
                | Self::RequestRouted { .. }
                | Self::RequestRedispatched { .. }
                | Self::RequestServed { .. }
                | Self::RequestFailed { .. }
                | Self::RequestAbandoned { .. }
                | Self::Flow(
                    Flow::Arrived { .. }
                        | Flow::Routed { .. }
                        | Flow::Served { .. }
                        | Flow::Took { .. }
                        | Flow::Failed { .. }
                )
        )
    }
}

/// What many requests or jobs did since it was last told of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// Requests reached the proxy.
    Arrived {
        /// How many.
        count: u64,
    },
    /// The proxy sent requests to a server.
    Routed {
        /// How many.
        count: u64,
        /// Where.
        server: ServerId,
    },
    /// A server answered requests.
    Served {
        /// How many.
        count: u64,
        /// Which.
        server: ServerId,
    },
    /// Of the requests answered, so many took so long.
    Took {
        /// How many.
        count: u64,
        /// From arrival to answer.
        latency: Span,
        /// From arrival until a web worker took them up.
        wait: Span,
    },
    /// Requests got an error, or nothing.
    Failed {
        /// How many.
        count: u64,
        /// Where they were, if they were routed.
        server: Option<ServerId>,
        /// Why.
        cause: FailureCause,
    },
    /// Jobs were put into a queue.
    JobsEnqueued {
        /// How many.
        count: u64,
    },
    /// Workers of a server took jobs up.
    JobsStarted {
        /// How many.
        count: u64,
        /// Which server's.
        server: ServerId,
    },
    /// Jobs are done.
    JobsCompleted {
        /// How many.
        count: u64,
        /// On which server.
        server: ServerId,
    },
    /// The workers of jobs were killed; the jobs are in no queue.
    JobsKilled {
        /// How many.
        count: u64,
        /// On which server.
        server: ServerId,
    },
}

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureCause {
    /// 503: the proxy's backlog or each server's accept queue was full.
    QueueFull,
    /// 503: no server could be routed to.
    NoServer,
    /// 502: the server it was sent to does not listen.
    Refused,
    /// 502: the server went away while it had the request.
    Killed,
    /// 502: the kernel killed its worker, for the server had no memory left.
    OutOfMemory,
    /// 500: too many waited at Redis, the database or the storage.
    Overloaded,
    /// 504: no answer within the proxy's time-out.
    TimedOut,
    /// 500: Redis had no memory left for what it wrote.
    RedisFull,
    /// 502: the server it was sent to cannot be reached.
    Unreachable,
    /// 500: Redis, the database or the storage gave it an error.
    Unavailable,
}

impl FailureCause {
    /// All causes, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::QueueFull,
        Self::NoServer,
        Self::Refused,
        Self::Killed,
        Self::OutOfMemory,
        Self::Overloaded,
        Self::TimedOut,
        Self::RedisFull,
        Self::Unreachable,
        Self::Unavailable,
    ];
}

/// Takes facts as they come and keeps only what it needs of them.
pub trait FactSink {
    /// `fact` happened at `at`, which is not before the time of the fact that came last.
    fn fact(&mut self, at: Timestamp, fact: Fact);
}
