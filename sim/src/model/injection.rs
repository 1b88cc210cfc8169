//! Faults that a scenario injects into its world.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_core::{ServerId, Span, StepName};

/// What goes wrong.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A machine that is started never comes up.
    BootFails,
    /// It takes `factor` times as long to come up.
    BootSlow,
    /// The provider has no machine to give.
    OutOfCapacity,
    /// The provider asks to come back later.
    RateLimited,
    /// The provider takes `by` longer to do what it is asked.
    ProviderSlow,
    /// The provider says of a machine that runs that it is off, and the reverse.
    WrongPower,
    /// A command fails.
    CommandFails,
    /// A command has no effect and no answer.
    CommandLost,
    /// A command has its effect, and its answer is lost.
    AnswerLost,
    /// The answer of a command comes again, `by` later.
    AnswerTwice,
    /// A command has its effect and its answer `by` later.
    CommandLate,
    /// A command has its effect again, `by` later.
    CommandTwice,
    /// A change of routing is said to be made and is not.
    ChangeLost,
    /// A machine loses its power.
    ServerDies,
    /// A machine that is off comes up though nobody asked for it.
    StartsUnasked,
    /// The services of a server go down until the fault ends.
    ServicesCrash,
    /// A job worker dies in the middle of its job.
    WorkerDies,
    /// Web workers gain `factor` times as much memory with each request.
    MemoryLeak,
    /// The benches of all servers that run are restarted.
    Deploy,
    /// Every other health check of a server is bad.
    CheckFlaps,
    /// The checks of benches, storage and Redis say that all is well, whatever is true.
    CheckLiesWell,
    /// Health checks say that nothing works, whatever is true.
    CheckLiesIll,
    /// The proxy starts anew and forgets that standbys had joined.
    ProxyRestarts,
    /// Visits to a shared service take `factor` times as long.
    Slow,
    /// A shared service answers nothing until the fault ends.
    Stalled,
    /// Visits to a shared service end with an error at once.
    Errors,
    /// What would write files to the shared storage ends with an error.
    StorageFull,
    /// Redis starts anew, and answers nothing until the fault ends.
    RedisRestarts,
    /// Redis takes nothing more to keep.
    RedisFull,
    /// Two parts cannot reach one another.
    Cut,
    /// What goes between two parts takes `by` longer.
    SlowLink,
    /// Samples of a server are not taken.
    ScrapesMissing,
    /// Samples are seen `by` later.
    MetricsLate,
    /// What the controller is told of the world it is told again.
    MetricsTwice,
    /// The clock of a server's samples is behind by `by`.
    ClockSkew,
    /// Nothing is measured and no rule is evaluated.
    MonitoringDown,
    /// Notifications of alerts come twice.
    AlertsTwice,
    /// A notification of an alert is overtaken by the one after it.
    AlertsDisordered,
    /// The controller's host dies; another takes over when the fault ends.
    ControllerKilled,
    /// A second host takes over while the first, cut off, goes on until the fault ends.
    SecondController,
    /// The clock of the controller's host is ahead by `by`.
    ClockJumps,
    /// Each request from outside is sent `factor` times.
    RetryStorm,
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [Self; 42] = [
        Self::BootFails,
        Self::BootSlow,
        Self::OutOfCapacity,
        Self::RateLimited,
        Self::ProviderSlow,
        Self::WrongPower,
        Self::CommandFails,
        Self::CommandLost,
        Self::AnswerLost,
        Self::AnswerTwice,
        Self::CommandLate,
        Self::CommandTwice,
        Self::ChangeLost,
        Self::ServerDies,
        Self::StartsUnasked,
        Self::ServicesCrash,
        Self::WorkerDies,
        Self::MemoryLeak,
        Self::Deploy,
        Self::CheckFlaps,
        Self::CheckLiesWell,
        Self::CheckLiesIll,
        Self::ProxyRestarts,
        Self::Slow,
        Self::Stalled,
        Self::Errors,
        Self::StorageFull,
        Self::RedisRestarts,
        Self::RedisFull,
        Self::Cut,
        Self::SlowLink,
        Self::ScrapesMissing,
        Self::MetricsLate,
        Self::MetricsTwice,
        Self::ClockSkew,
        Self::MonitoringDown,
        Self::AlertsTwice,
        Self::AlertsDisordered,
        Self::ControllerKilled,
        Self::SecondController,
        Self::ClockJumps,
        Self::RetryStorm,
    ];

    /// Its name in a file.
    pub fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// Whether it is about a command that is given while it lasts.
    pub const fn is_of_commands(self) -> bool {
        matches!(
            self,
            Self::CommandFails
                | Self::CommandLost
                | Self::AnswerLost
                | Self::AnswerTwice
                | Self::CommandLate
                | Self::CommandTwice
                | Self::ChangeLost
        )
    }

    /// Whether it befalls the controller's host and not the world.
    pub const fn is_of_the_host(self) -> bool {
        matches!(self, Self::ControllerKilled | Self::SecondController | Self::ClockJumps)
    }
}

/// A part of the system that the network joins to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The controller.
    Controller,
    /// The provider of machines.
    Provider,
    /// The proxy.
    Proxy,
    /// The primary server.
    Primary,
    /// The standbys, or the one that the fault names.
    Standby,
    /// Redis.
    Redis,
    /// The shared storage.
    Nfs,
    /// The database.
    Database,
    /// Prometheus.
    Monitoring,
}

/// A shared service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SharedService {
    /// Redis.
    Redis,
    /// The shared storage.
    Nfs,
    /// The database.
    Database,
}

/// At which point of a step the controller's host dies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CrashPoint {
    /// Before the step is stored: it never happened.
    Before,
    /// After it is stored and before any command is carried out.
    #[default]
    Stored,
    /// After its commands were sent.
    Acted,
}

/// When a fault begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Onset {
    /// At this time from the start of the run.
    At(Span),
    /// Again and again, as a Poisson process with this mean time between two.
    Every(Span),
    /// When the command of this kind is given that is the `nth` of its kind, counted from 1 and
    /// without repetitions, or so long after it.
    Command {
        /// Which kind.
        step: StepName,
        /// Which of them.
        nth: u32,
        /// How many of its attempts are concerned.
        attempts: u32,
        /// How long after it.
        delay: Span,
    },
}

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Injection {
    /// What goes wrong.
    pub kind: FaultKind,
    /// When it begins.
    pub onset: Onset,
    /// How long it lasts.
    pub length: Span,
    /// The server concerned; each standby if absent.
    pub server: Option<ServerId>,
    /// The step whose commands are concerned; all if absent.
    pub step: Option<StepName>,
    /// By how much something grows.
    pub factor: f64,
    /// By how much something is late.
    pub by: Span,
    /// Which shared service.
    pub service: SharedService,
    /// Between which parts.
    pub between: [Part; 2],
    /// Whether Redis keeps its data.
    pub keeps_data: bool,
    /// Where the controller's host dies.
    pub point: CrashPoint,
}

impl Injection {
    /// Whether it concerns `server`.
    pub fn concerns(&self, server: ServerId) -> bool {
        self.server.map_or(!server.is_primary(), |one| one == server)
    }

    /// Whether it is about the way between `one` and `other`.
    pub fn is_between(&self, one: Part, other: Part) -> bool {
        self.between == [one, other] || self.between == [other, one]
    }
}
