//! A scenario after reading: checked, in plain units, with nothing left to look up.

mod fleet;
mod injection;
mod origin;
mod shared;

use tidegate_core::billing::Pricing;
use tidegate_core::demand::trigger::Rule;
pub use tidegate_core::record::Fidelity;
use tidegate_core::{Currency, Defects, GroupConfig, OperatorRequest, Ratio, Span, Timestamp};

pub use fleet::{Fleet, Group, Size};
pub use injection::{CommandCount, CrashPoint, FaultKind, Injection, Onset, Part, SharedService};
pub use shared::{Append, Eviction, Files, Fsync, Host, Objects, Snapshot, Station, Store, Write};

/// Everything that a run depends on.
#[derive(Clone, Debug)]
pub struct Model {
    /// Name of the scenario; also the folder of its output.
    pub name: String,
    /// What it shows, in one line.
    pub title: String,
    /// IANA zone in which times are shown and months are billed.
    pub zone: String,
    /// When it begins.
    pub start: Timestamp,
    /// How long it lasts.
    pub duration: Span,
    /// The seed of every stream of chance.
    pub seed: u64,
    /// How closely requests are followed.
    pub fidelity: Fidelity,
    /// Why, where the scenario left the choice to the program.
    pub fidelity_because: Option<String>,
    /// What the controller is given.
    pub group: GroupConfig,
    /// Currency of all prices.
    pub currency: Currency,
    /// The servers, the primary first.
    pub servers: Vec<Hardware>,
    /// The bigger plan that the bill is compared with.
    pub upgrade: Option<Hardware>,
    /// The benches, each of which is on every server.
    pub benches: Vec<Bench>,
    /// How servers come and go.
    pub machine: Machine,
    /// What the provider of machines has to give, if that is limited.
    pub provider: Option<ProviderLimits>,
    /// The proxy.
    pub proxy: Proxy,
    /// The shared Redis.
    pub redis: Station,
    /// What Redis keeps in memory, if that is limited or read from.
    pub store: Option<Store>,
    /// How Redis saves what it keeps, if it does.
    pub snapshot: Option<Snapshot>,
    /// The file to which Redis appends what is written, if it does.
    pub append: Option<Append>,
    /// The shared database server.
    pub database: Station,
    /// The shared storage.
    pub nfs: Station,
    /// The files on the shared storage, if any phase reads or writes some.
    pub files: Option<Files>,
    /// What a server's memory is used for.
    pub memory: Memory,
    /// What a server's first requests cost more.
    pub cache: Cache,
    /// How the world is measured.
    pub monitoring: Monitoring,
    /// Who turns what is measured into alerts; nobody if absent.
    pub alerts: Option<Alerts>,
    /// Requests that each one stands for: the loads are as many times less, the work as many times
    /// more.
    pub grain: u32,
    /// The factors on the loads, as the file gives them.
    pub scales: Vec<f64>,
    /// Kinds of requests.
    pub requests: Vec<RequestClass>,
    /// Kinds of background jobs.
    pub jobs: Vec<JobClass>,
    /// Jobs that are enqueued by the clock.
    pub cron_jobs: Vec<CronJob>,
    /// The load; loads add up.
    pub loads: Vec<Load>,
    /// What goes wrong.
    pub faults: Vec<Injection>,
    /// The hazard that the scenario shows.
    pub hazard: Option<Hazard>,
    /// A change of the primary's plan by hand.
    pub resizes: Vec<Resize>,
    /// What a person asks the controller for.
    pub operator: Vec<(Timestamp, OperatorRequest)>,
    /// What the scenario expects of its summary.
    pub expectations: Vec<Expectation>,
    /// The groups, if it is about many.
    pub fleet: Option<std::sync::Arc<Fleet>>,
    /// What the file says and the run will not show, each in a sentence.
    pub notes: Vec<String>,
}

/// A server's size, price and processes.
#[derive(Clone, Debug, PartialEq)]
pub struct Hardware {
    /// Name of the plan.
    pub plan: String,
    /// Cores.
    pub vcpu: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// What its power costs.
    pub pricing: Pricing,
    /// Web workers of each bench.
    pub web_workers: Vec<u32>,
    /// Job workers: those that serve `short`, `default` and `long` first.
    pub job_workers: [u32; 3],
}

/// A bench: sites that share web workers.
#[derive(Clone, Debug, PartialEq)]
pub struct Bench {
    /// Its name.
    pub name: String,
    /// How many sites it holds.
    pub sites: u32,
    /// What its sites together get of the traffic, relative to the other benches.
    pub share: f64,
    /// Connections that wait for a worker on one server before it refuses.
    pub accept_queue: u32,
}

/// How long a server takes to come and go.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// From power on until the machine runs.
    pub boot: Dist,
    /// From there until benches, services and workers are healthy.
    pub services: Dist,
    /// To stop the services.
    pub services_stop: Dist,
    /// To stop the machine.
    pub stop: Dist,
}

/// What a provider of machines has to give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProviderLimits {
    /// Standbys that may have power at once.
    pub machines: Option<u64>,
    /// Time between two starts, and how many may come at once.
    pub starts: Option<(Span, u32)>,
}

/// How the proxy chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// Smooth weighted round-robin.
    RoundRobin,
    /// Fewest requests in flight by weight.
    LeastConnections,
}

/// The proxy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proxy {
    /// How it chooses.
    pub balance: Balance,
    /// What it adds to each request's latency.
    pub latency: Span,
    /// Requests that it has open to one server at once; the rest wait in its backlog.
    pub max_connections: Option<u32>,
    /// Requests that wait in the proxy before it answers 503.
    pub backlog: u32,
    /// Time from arrival after which it answers 504.
    pub timeout: Span,
    /// Other servers that it tries when one refuses an idempotent request.
    pub retries: u32,
    /// Whether a person stays on the server that answered first.
    pub sticky: bool,
    /// From a change of routing to its effect.
    pub change: Span,
    /// What a connection to a server costs, if it costs anything.
    pub connections: Option<Connections>,
    /// The proxy's own checks of the servers.
    pub health: Option<Checks>,
}

/// Connections from the proxy to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Time to open one.
    pub connect: Span,
    /// Idle ones that are kept for each server.
    pub keep_alive: u32,
    /// After which time an idle one is closed.
    pub timeout: Span,
}

/// How the proxy checks servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// Time between two checks of a server.
    pub every: Span,
    /// Good ones in a row that bring it back.
    pub rise: u32,
    /// Bad ones in a row that take it out.
    pub fall: u32,
    /// How long an answer is waited for.
    pub timeout: Span,
}

/// What a server's memory is used for, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// The system and what all workers share.
    pub base: u64,
    /// Each web or job worker when it starts.
    pub worker: u64,
    /// What a web worker gains with each request.
    pub growth: u64,
    /// Requests after which a worker is replaced by a fresh one; zero for never.
    pub max_requests: u32,
    /// Each worker's number is up to so many more, drawn when it starts.
    pub max_requests_jitter: u32,
    /// How long a replacement takes to start.
    pub restart: Span,
    /// Whether the worker that has grown most is killed when memory is exhausted.
    pub oom_killer: bool,
}

/// What a server's first requests cost more, while its caches are cold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cache {
    /// Factor on the work of the first request after its services have started; 1 for none.
    pub cold: f64,
    /// Requests after which the extra share has fallen to 1 ÷ e of what it was.
    pub warm_after: u32,
}

/// From when on a machine is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonitoredFrom {
    /// As soon as it is up.
    Boot,
    /// While the proxy sends it requests.
    Serving,
}

/// How the world is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Monitoring {
    /// From when on.
    pub from: MonitoredFrom,
    /// Time between samples.
    pub scrape: Span,
    /// Time between two looks of the controller at them.
    pub evaluate: Span,
    /// Range of the `rate` that CPU use is.
    pub range: Span,
    /// How old the last sample of memory may be.
    pub look_back: Span,
    /// From a sample to its being seen.
    pub delay: Span,
    /// Time between health checks and readings of requests and jobs in flight.
    pub health: Span,
}

/// The rules that Prometheus evaluates, and how Alertmanager notifies of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerts {
    /// The rules.
    pub rules: Vec<Rule>,
    /// From an alert to the first notification of its group.
    pub group_wait: Span,
    /// Time between two looks at a group whose alert is not settled.
    pub group_interval: Span,
    /// Time after which an up rule that still fires is notified again.
    pub repeat_up: Span,
    /// The same of a down rule.
    pub repeat_down: Span,
    /// From a notification to its arrival.
    pub delay: Span,
}

/// Where a phase is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the server's cores, shared by all that runs there.
    Cpu,
    /// In the shared Redis.
    Redis,
    /// In the shared Redis, until the disk keeps what was written.
    Sync,
    /// In the shared database.
    Database,
    /// In the shared database, unless Redis has what is read.
    Miss,
    /// In the shared storage.
    Nfs,
    /// Opens the site's file in the shared storage.
    Open,
    /// Asks the shared storage for the data of a file that was opened to be read.
    Fetch,
    /// Moves the data of a file from or to the shared storage.
    Transfer,
    /// Has the shared storage commit what was written.
    Commit,
    /// Closes the file that was written.
    Close,
    /// Nowhere: a call to somebody else, say. A worker is held all the same.
    Wait,
}

impl Place {
    /// The place that a step of a file, a miss or an fsync belongs to; else itself.
    #[must_use]
    pub const fn host(self) -> Self {
        match self {
            Self::Open | Self::Fetch | Self::Transfer | Self::Commit | Self::Close => Self::Nfs,
            Self::Miss => Self::Database,
            Self::Sync => Self::Redis,
            Self::Cpu | Self::Redis | Self::Database | Self::Nfs | Self::Wait => self,
        }
    }
}

/// One step of a request or job.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// Where.
    pub place: Place,
    /// How much.
    pub demand: Dist,
}

/// A kind of request.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestClass {
    /// Its name.
    pub name: String,
    /// Its share of the open loads, relative to the other kinds.
    pub weight: u32,
    /// Its steps, in order; a worker is held through all of them.
    pub phases: Vec<Phase>,
    /// Kind of job that it enqueues when it is answered, and how often it does.
    pub enqueues: Option<(usize, Ratio)>,
    /// Whether the proxy may send it to another server when one refuses it.
    pub idempotent: bool,
    /// What it writes into Redis when it is answered.
    pub writes: Option<Write>,
}

/// The queues, in the order of RQ's usual names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Seconds.
    Short,
    /// Minutes.
    Default,
    /// Tens of minutes.
    Long,
}

/// A kind of background job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobClass {
    /// Its name.
    pub name: String,
    /// Where it waits.
    pub queue: Queue,
    /// Bytes that it takes in Redis until it ends.
    pub payload: u64,
    /// Its steps, in order.
    pub phases: Vec<Phase>,
}

/// Jobs that are enqueued by the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CronJob {
    /// Position in [`Model::jobs`].
    pub class: usize,
    /// Time from the start of the run to the first.
    pub first: Span,
    /// Time between two.
    pub every: Span,
    /// How many each time.
    pub count: u32,
}

/// A random length of time.
#[derive(Clone, Debug, PartialEq)]
pub enum Dist {
    /// Always the same.
    Constant(Span),
    /// Exponential with this mean.
    Exponential(Span),
    /// Lognormal.
    Lognormal {
        /// Its mean.
        mean: Span,
        /// Its coefficient of variation: standard deviation ÷ mean.
        cv: f64,
    },
    /// The sum of so many exponential stages.
    Erlang {
        /// Its mean.
        mean: Span,
        /// Stages; its coefficient of variation is 1 ÷ √stages.
        stages: u32,
    },
    /// One of two exponential lengths, with balanced means.
    HyperExponential {
        /// Its mean.
        mean: Span,
        /// Its coefficient of variation, above 1.
        cv: f64,
    },
    /// Pareto between two bounds.
    Pareto {
        /// The lower bound.
        least: Span,
        /// The upper bound.
        most: Span,
        /// The exponent of its tail.
        alpha: f64,
    },
    /// One of these lengths, in nanoseconds, each as likely as the others.
    Empirical(std::sync::Arc<[u64]>),
}

/// A source of requests.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// Arrivals that do not care how the system fares.
    Open(Open),
    /// People who wait for answers.
    Exam(Exam),
}

/// Requests a second that no load may exceed.
pub const RATE_MAX: f64 = 1e7;

/// An open load: a rate over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    /// Pieces in the order of time, without overlap.
    pub pieces: std::sync::Arc<[Piece]>,
    /// Factor on all rates.
    pub scale: f64,
    /// Whether each piece brings its expected number, rounded, instead of a Poisson one.
    pub exact: bool,
    /// The kind of its requests; by weight if absent.
    pub class: Option<usize>,
}

/// A stretch over which a rate changes linearly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// Start, from the start of the run.
    pub from: Span,
    /// End.
    pub to: Span,
    /// Requests a second at the start.
    pub rate_from: f64,
    /// Requests a second at the end.
    pub rate_to: f64,
}

/// An examination: a population that logs in, works and submits.
#[derive(Clone, Debug, PartialEq)]
pub struct Exam {
    /// People.
    pub users: u32,
    /// When the first may log in, from the start of the run.
    pub opens: Span,
    /// Time within which all log in, uniformly.
    pub login_within: Span,
    /// Time from opening to the end of the paper.
    pub length: Span,
    /// Time within which all submit, from the end backwards.
    pub submit_within: Span,
    /// Think time between an answer and the next request.
    pub think: Dist,
    /// Position of the login's kind in [`Model::requests`].
    pub login: usize,
    /// Of the work's kind.
    pub work: usize,
    /// Of the submission's kind.
    pub submit: usize,
    /// Tries after a failure before a person gives up.
    pub retries: u8,
    /// Wait before the first retry; it doubles with each further one.
    pub backoff: Span,
}

/// A change of the primary's plan by hand.
#[derive(Clone, Debug, PartialEq)]
pub struct Resize {
    /// When.
    pub at: Timestamp,
    /// To what.
    pub to: Hardware,
    /// For how long the primary is down.
    pub downtime: Span,
}

/// What a system with defects violates in a scenario in which a sound one holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hazard {
    /// The defects.
    pub defects: Defects,
    /// The property, if it is one for all of them.
    pub violates: Option<&'static str>,
}

/// How an expected value compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Equal,
    /// Not equal.
    NotEqual,
    /// Less.
    Less,
    /// Less or equal.
    AtMost,
    /// Greater.
    Greater,
    /// Greater or equal.
    AtLeast,
}

/// What a scenario expects of its summary.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// Path into the summary, such as `requests.latency_ms.p95` or `properties.drain-clean.holds`.
    pub path: String,
    /// How it compares.
    pub comparison: Comparison,
    /// The other side, as written: a number, `true` or `false`.
    pub value: String,
}
