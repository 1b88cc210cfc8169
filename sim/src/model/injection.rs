//! Faults that a scenario injects into its world.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_core::{Command, ServerId, Span, StepName};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal;)*) => {
        /// What goes wrong.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            Serialize, Deserialize, JsonSchema,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum FaultKind {
            $($(#[$doc])* $kind,)*
        }

        impl FaultKind {
            /// All kinds.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$kind),*];

            /// Its name, as in a file.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// A machine that is started never comes up.
    BootFails = "boot-fails";
    /// It takes `factor` times as long to come up.
    BootSlow = "boot-slow";
    /// The provider has no machine to give.
    OutOfCapacity = "out-of-capacity";
    /// The provider asks to come back later.
    RateLimited = "rate-limited";
    /// The provider takes `by` longer to do what it is asked.
    ProviderSlow = "provider-slow";
    /// The provider says of a machine that runs that it is off, and the reverse.
    WrongPower = "wrong-power";
    /// A command fails.
    CommandFails = "command-fails";
    /// A command has no effect and no answer.
    CommandLost = "command-lost";
    /// A command has its effect, and its answer is lost.
    AnswerLost = "answer-lost";
    /// The answer of a command comes again, `by` later.
    AnswerTwice = "answer-twice";
    /// A command has its effect and its answer `by` later.
    CommandLate = "command-late";
    /// A command has its effect again, `by` later.
    CommandTwice = "command-twice";
    /// A change of routing is said to be made and is not.
    ChangeLost = "change-lost";
    /// A machine loses its power.
    ServerDies = "server-dies";
    /// A machine that is off comes up though nobody asked for it.
    StartsUnasked = "starts-unasked";
    /// A machine stands still, and goes on when the fault ends.
    ServerFrozen = "server-frozen";
    /// The services of a server go down until the fault ends.
    ServicesCrash = "services-crash";
    /// A job worker dies in the middle of its job.
    WorkerDies = "worker-dies";
    /// Web workers gain `factor` times as much memory with each request.
    MemoryLeak = "memory-leak";
    /// The benches of all servers that run are restarted.
    Deploy = "deploy";
    /// Every other health check of a server is bad.
    CheckFlaps = "check-flaps";
    /// The checks of benches, storage and Redis say that all is well, whatever is true.
    CheckLiesWell = "check-lies-well";
    /// Health checks say that nothing works, whatever is true.
    CheckLiesIll = "check-lies-ill";
    /// The proxy starts anew and forgets that standbys had joined.
    ProxyRestarts = "proxy-restarts";
    /// Visits to a shared service take `factor` times as long.
    Slow = "slow";
    /// A shared service answers nothing until the fault ends.
    Stalled = "stalled";
    /// Visits to a shared service end with an error at once.
    Errors = "errors";
    /// What would write files to the shared storage ends with an error.
    StorageFull = "storage-full";
    /// Redis starts anew, and answers nothing until the fault ends.
    RedisRestarts = "redis-restarts";
    /// Redis takes nothing more to keep.
    RedisFull = "redis-full";
    /// Two parts cannot reach one another.
    Cut = "cut";
    /// What goes between two parts takes `by` longer.
    SlowLink = "slow-link";
    /// Samples of a server are not taken.
    ScrapesMissing = "scrapes-missing";
    /// Samples are seen `by` later.
    MetricsLate = "metrics-late";
    /// What the controller is told of the world it is told again.
    MetricsTwice = "metrics-twice";
    /// The clock of a server's samples is behind by `by`.
    ClockSkew = "clock-skew";
    /// Nothing is measured and no rule is evaluated.
    MonitoringDown = "monitoring-down";
    /// Notifications of alerts come twice.
    AlertsTwice = "alerts-twice";
    /// A notification of an alert is overtaken by the one after it.
    AlertsDisordered = "alerts-disordered";
    /// The controller's host dies; another takes over when the fault ends.
    ControllerKilled = "controller-killed";
    /// A second host takes over while the first, cut off, goes on until the fault ends.
    SecondController = "second-controller";
    /// The clock of the controller's host is ahead by `by`.
    ClockJumps = "clock-jumps";
    /// Each request from outside is sent `factor` times.
    RetryStorm = "retry-storm";
}

impl FaultKind {
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

/// Counts commands by kind. Their ids grow, so one that is not above all before is a repetition.
#[derive(Clone, Copy, Debug, Default)]
pub struct CommandCount {
    given: [u32; StepName::ALL.len()],
    /// The id that the next new command has at least.
    next: u64,
}

impl CommandCount {
    /// The kind of a new command, and which of its kind it is, from 1. A repetition is not counted.
    pub const fn count(&mut self, command: &Command) -> Option<(StepName, u32)> {
        if command.id.0 < self.next {
            return None;
        }
        self.next = command.id.0 + 1;
        let step = command.kind.step();
        self.given[step as usize] += 1;
        Some((step, self.given[step as usize]))
    }
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
