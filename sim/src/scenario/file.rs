//! The scenario file as it is written. `scenarios/README.md` is its manual.

mod fault;
mod fleet;
mod hazard;
mod shared;
mod storage;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_core::billing::Terms;
use tidegate_core::money::Price;
use tidegate_core::policy::{Policy, WallTime};
use tidegate_core::size::Size;
use tidegate_core::{Defects, Ratio, Span};

use super::length::Length;
use super::load::LoadFile;

pub use fault::FaultFile;
pub use fleet::{FleetFile, ScaleFile};
pub use hazard::{HazardFile, PolicyFile};
pub use shared::{
    AppendFile, DatabaseFile, EvictionFile, FsyncFile, HostFile, NfsFile, ObjectsFile, RedisFile,
    SnapshotFile, WriteFile,
};
pub use storage::StorageWork;

/// A scenario: a group of servers, its load, its policy, and what is expected of them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// What it shows, in one line.
    #[serde(default)]
    pub title: String,
    /// When it begins.
    pub start: WallTime,
    /// How long it lasts; that of its trace if absent.
    pub duration: Option<Span>,
    /// Seed of every stream of chance. Default 1.
    #[serde(default = "one")]
    pub seed: u64,
    /// Requests that each one stands for. Default 1.
    #[serde(default = "one_grain")]
    pub grain: u32,
    /// How closely requests are followed. Default `request`.
    #[serde(default)]
    pub fidelity: FidelityFile,
    /// Plans by name.
    pub plans: BTreeMap<String, PlanFile>,
    /// The group; in a fleet, each of them.
    pub group: GroupFile,
    /// Many groups. Default: one.
    pub fleet: Option<FleetFile>,
    /// Benches. Default: one with one site.
    #[serde(default)]
    pub bench: Vec<BenchFile>,
    /// How servers come and go.
    #[serde(default)]
    pub server: ServerFile,
    /// The provider of machines. Default: it has as many as are wanted.
    #[serde(default)]
    pub provider: ProviderFile,
    /// The proxy.
    #[serde(default)]
    pub proxy: ProxyFile,
    /// The shared Redis. Default: one server, 200us away.
    #[serde(default)]
    pub redis: RedisFile,
    /// The shared database. Default: 8 servers, 500us away.
    #[serde(default)]
    pub database: DatabaseFile,
    /// The shared storage. Default: 8 servers, 500us away.
    #[serde(default)]
    pub nfs: NfsFile,
    /// Use of memory.
    #[serde(default)]
    pub memory: MemoryFile,
    /// Cold caches. Default: none.
    #[serde(default)]
    pub cache: CacheFile,
    /// Monitoring.
    #[serde(default)]
    pub monitoring: MonitoringFile,
    /// Kinds of requests.
    pub request: Vec<RequestFile>,
    /// Kinds of background jobs.
    #[serde(default)]
    pub job: Vec<JobFile>,
    /// Jobs enqueued by the clock.
    #[serde(default)]
    pub cron_job: Vec<CronJobFile>,
    /// Loads; they add up.
    #[serde(default)]
    pub load: Vec<LoadFile>,
    /// When to scale.
    #[serde(default)]
    pub policy: Policy,
    /// A file with a policy, and with the defects of a system, in place of `policy`.
    pub policy_file: Option<String>,
    /// What a person asks the controller for.
    #[serde(default)]
    pub operator: Vec<OperatorFile>,
    /// What goes wrong.
    #[serde(default)]
    pub fault: Vec<FaultFile>,
    /// What the system does wrong, to see that the properties catch it. Default: nothing.
    #[serde(default)]
    pub defects: Defects,
    /// The hazard that it shows. Default: none.
    pub hazard: Option<HazardFile>,
    /// Changes of the primary's plan by hand.
    #[serde(default)]
    pub resize: Vec<ResizeFile>,
    /// Paths into the summary and what is expected there, such as `"== 0"`.
    #[serde(default)]
    pub expect: BTreeMap<String, String>,
}

/// How closely requests are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FidelityFile {
    /// One by one.
    #[default]
    Request,
    /// As flows, with an estimate of their latencies.
    Fluid,
    /// As flows where one by one would take minutes.
    Auto,
}

const fn one_grain() -> u32 {
    1
}

const fn one() -> u64 {
    1
}

/// A plan.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// Cores.
    pub vcpu: u32,
    /// Memory.
    pub memory: Size,
    /// Its monthly or hourly price.
    pub price: Price,
}

/// The group.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupFile {
    /// Plan of the primary.
    pub primary: String,
    /// Standbys that are provisioned. Default 1.
    pub standbys: Option<u16>,
    /// Plan of the standbys. Default: the primary's.
    pub standby: Option<String>,
    /// Price of a standby. Default: its plan's.
    pub standby_price: Option<Price>,
    /// How a standby is billed. Default `per-second`.
    #[serde(default)]
    pub standby_billing: Terms,
    /// Least time charged for a start, per second. Default 60s.
    pub minimum: Option<Span>,
    /// How unequal its sites are: the n-th has the share 1 / n to this power. Default 0.
    pub site_skew: Option<f64>,
    /// Plan that the bill is compared with. Default: the cheapest with the cores of all servers.
    pub upgrade: Option<String>,
}

/// A bench.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BenchFile {
    /// Its name.
    pub name: String,
    /// Sites that it holds. Default 1.
    pub sites: Option<u32>,
    /// Web workers on each server. Default: from the plan's memory.
    pub workers: Option<u32>,
    /// Connections that wait on one server. Default 2048.
    pub accept_queue: Option<u32>,
}

/// How servers come and go.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServerFile {
    /// Power on to running. Default 45s with cv 0.2.
    pub boot: Option<Length>,
    /// Running to healthy. Default 60s with cv 0.2.
    pub services: Option<Length>,
    /// To stop the services. Default 5s.
    pub services_stop: Option<Length>,
    /// To stop the machine. Default 20s.
    pub stop: Option<Length>,
    /// Workers of each kind of queue. Default: from the plan's memory.
    pub job_workers: Option<JobWorkersFile>,
}

/// The provider of machines.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderFile {
    /// Standbys that may have power at once, in all groups. Default: no limit.
    pub machines: Option<u64>,
    /// Least time between two starts. Default: none.
    pub start_every: Option<Span>,
    /// Starts that may come at once before that. Default 1.
    pub burst: Option<u32>,
}

/// Job workers by the queue that they prefer.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobWorkersFile {
    /// Serve `short` alone.
    pub short: u32,
    /// Serve `default`, then `short`.
    pub default: u32,
    /// Serve `long`, then `default`, then `short`.
    pub long: u32,
}

/// How the proxy chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BalanceFile {
    /// Smooth weighted round-robin.
    #[default]
    RoundRobin,
    /// Fewest requests in flight by weight.
    LeastConnections,
}

/// The proxy.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProxyFile {
    /// How it chooses. Default `round-robin`.
    pub balance: BalanceFile,
    /// What it adds to each latency. Default 300us.
    pub latency: Option<Span>,
    /// Requests open to one server at once. Default: no limit.
    pub max_connections: Option<u32>,
    /// Requests that wait in the proxy. Default 1000.
    pub backlog: Option<u32>,
    /// Time from arrival to a 504. Default 60s.
    pub timeout: Option<Span>,
    /// Other servers tried when one refuses an idempotent request. Default 0.
    pub retries: Option<u32>,
    /// Whether a person stays on the server that answered first. Default false.
    pub sticky: bool,
    /// From a change of routing to its effect. Default 1s.
    pub change: Option<Span>,
    /// Time to open a connection to a server. Default 0s.
    pub connect: Option<Span>,
    /// Idle connections kept for each server. Default: no limit.
    pub keep_alive: Option<u32>,
    /// After which time an idle connection is closed. Default 60s.
    pub keep_alive_timeout: Option<Span>,
    /// The proxy's own checks of the servers. Default: none.
    pub health: Option<ChecksFile>,
}

/// How the proxy checks servers.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChecksFile {
    /// Time between two checks of a server. Default 2s.
    pub every: Option<Span>,
    /// Good ones in a row that bring it back. Default 2.
    pub rise: Option<u32>,
    /// Bad ones in a row that take it out. Default 3.
    pub fall: Option<u32>,
    /// How long an answer is waited for. Default 1s.
    pub timeout: Option<Span>,
}

/// Use of memory.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MemoryFile {
    /// The system and what workers share. Default 1GiB.
    pub base: Option<Size>,
    /// Each worker. Default 60MiB.
    pub worker: Option<Size>,
    /// What a web worker gains with each request. Default 4KiB.
    pub growth: Option<Size>,
    /// Requests after which a worker is replaced. Default 5000.
    pub max_requests: Option<u32>,
    /// Each worker's number is up to so many more, at random. Default 0.
    pub max_requests_jitter: Option<u32>,
    /// How long a replacement takes to start. Default 0s.
    pub restart: Option<Span>,
    /// Whether the kernel kills a web worker when memory is exhausted. Default false.
    pub oom_killer: bool,
}

/// What a server's first requests cost more.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CacheFile {
    /// Factor on the CPU and database work of the first request. Default 1.
    pub cold: Option<f64>,
    /// Requests after which the extra share has fallen to 1 / e. Default 500.
    pub warm_after: Option<u32>,
}

/// From when on a machine is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MonitoredFromFile {
    /// As soon as it is up.
    #[default]
    Boot,
    /// While the proxy sends it requests.
    Serving,
}

/// Monitoring.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MonitoringFile {
    /// Time between samples. Default 15s.
    pub scrape: Option<Span>,
    /// Time between looks at them. Default 15s.
    pub evaluate: Option<Span>,
    /// Range of the `rate` that CPU is. Default 1m.
    pub range: Option<Span>,
    /// How old the last sample of memory may be. Default 5m.
    pub look_back: Option<Span>,
    /// From when on a machine is measured. Default `boot`.
    pub from: MonitoredFromFile,
    /// From a sample to its being seen. Default 2s.
    pub delay: Option<Span>,
    /// Time between health checks while a sequence is under way. Default 5s.
    pub health: Option<Span>,
    /// The policy's rules as Prometheus alerting rules. Default: the controller reads the metrics.
    pub alerts: Option<AlertsFile>,
}

/// How Alertmanager notifies of the policy's rules.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AlertsFile {
    /// From an alert to its first notification. Default 1m.
    pub group_wait: Option<Span>,
    /// Time between two looks at an alert that was notified. Default 5m.
    pub group_interval: Option<Span>,
    /// Time after which an up rule that still fires is notified again. Default 1h.
    pub repeat_up: Option<Span>,
    /// The same of a down rule. Default 5m.
    pub repeat_down: Option<Span>,
    /// From a notification to its arrival. Default 1s.
    pub delay: Option<Span>,
}

/// One step of a request or job: exactly one place.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseFile {
    /// On the server's cores.
    Cpu(Length),
    /// In Redis.
    Redis(Length),
    /// In the database.
    Database(Length),
    /// In the shared storage: for so long, or so many bytes of the site's file.
    Nfs(StorageWork),
    /// Elsewhere, holding its worker.
    Wait(Length),
}

/// A kind of request.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestFile {
    /// Its name.
    pub name: String,
    /// Its share of the loads that name no kind. Default 1.
    pub weight: Option<u32>,
    /// Its steps.
    pub phases: Vec<PhaseFile>,
    /// The job that it enqueues, and how often.
    pub enqueues: Option<EnqueuesFile>,
    /// Whether the proxy may try another server with it. Default true.
    pub idempotent: Option<bool>,
    /// What it writes into Redis.
    pub writes: Option<WriteFile>,
    /// Visit of the database when Redis has not what it reads. Default: it reads nothing there.
    pub miss: Option<Length>,
}

/// A job that requests enqueue.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnqueuesFile {
    /// Kind of job.
    pub job: String,
    /// Share of the requests that do.
    pub share: Ratio,
}

/// A queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QueueFile {
    /// Seconds.
    Short,
    /// Minutes.
    Default,
    /// Tens of minutes.
    Long,
}

/// A kind of background job.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobFile {
    /// Its name.
    pub name: String,
    /// Its queue.
    pub queue: QueueFile,
    /// What it takes in Redis until it ends. Default 1KiB.
    pub payload: Option<Size>,
    /// Its steps.
    pub phases: Vec<PhaseFile>,
}

/// Jobs enqueued by the clock.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CronJobFile {
    /// Kind of job.
    pub job: String,
    /// Time from the start to the first. Default 0s.
    #[serde(default)]
    pub first: Span,
    /// Time between two.
    pub every: Span,
    /// How many each time. Default 1.
    pub count: Option<u32>,
}

/// What a person asks for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatorFile {
    /// When.
    pub at: WallTime,
    /// What.
    pub action: ActionFile,
    /// How many servers. Default 1.
    pub by: Option<u16>,
    /// For how long. Default: the policy's.
    pub hold: Option<Span>,
    /// End of a pause.
    pub until: Option<WallTime>,
}

/// What a person may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ActionFile {
    /// More servers.
    ScaleUp,
    /// Fewer servers.
    ScaleDown,
    /// No automatic scaling until then.
    Pause,
    /// End of a pause and of manual demands.
    Resume,
}

/// A change of the primary's plan by hand.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResizeFile {
    /// When.
    pub at: WallTime,
    /// To which plan.
    pub plan: String,
    /// For how long the primary is down.
    pub downtime: Span,
}
