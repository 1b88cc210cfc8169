//! Planted defects: what a system may do wrong, so that each property is seen to be violated.
//!
//! Each is looked at where it is planted, in the core, in the executor or in the simulated world.
//! A live configuration never has one.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! catalogue {
    ($($(#[$doc:meta])* $defect:ident = $name:literal, $owner:literal;)*) => {
        /// Something that a system does wrong.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            Serialize, Deserialize, JsonSchema,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum Defect {
            $($(#[$doc])* $defect,)*
        }

        impl Defect {
            /// All of them.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$defect),*];

            /// Its name, as in a file.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$defect => $name,)*
                }
            }

            /// The property that must catch it.
            pub const fn owner(self) -> &'static str {
                match self {
                    $(Self::$defect => $owner,)*
                }
            }
        }
    };
}

catalogue! {
    /// The proxy is told of a server whose services still start.
    RouteBeforeReady = "route-before-ready", "route-ready";
    /// A server that only answers a ping counts as healthy.
    PingIsHealth = "ping-is-health", "route-ready";
    /// Services count as started, and as healthy, from when they are told to start.
    LaunchedIsReady = "launched-is-ready", "route-ready";
    /// The services of a server are stopped before the proxy is told to send it nothing.
    StopBeforeDrain = "stop-before-drain", "route-ready";
    /// Commands are carried out before their step is stored, which a crash then forgets.
    ActBeforeStore = "act-before-store", "route-ready";
    /// A server is stopped as soon as the proxy sends it nothing new.
    SkipTheDrain = "skip-the-drain", "drain-clean";
    /// Job workers are not told to take no new job before they are stopped.
    SkipTheQuiesce = "skip-the-quiesce", "drain-clean";
    /// Work that outlives the deadline of its step is stopped.
    KillOverdue = "kill-overdue", "drain-clean";
    /// A schedule that opens restarts the services of servers that serve.
    RestartServing = "restart-serving", "drain-clean";
    /// Each change of routing cuts the requests in flight.
    ReloadCutsRequests = "reload-cuts-requests", "no-failed-request";
    /// Job workers are killed with the jobs that they run.
    ForcedKill = "forced-kill", "jobs-exactly-once";
    /// A command to start services starts those anew that run.
    StartTwice = "start-twice", "jobs-exactly-once";
    /// Each server has a Redis of its own, in which jobs of a standby's requests wait for nobody.
    RedisPerServer = "redis-per-server", "jobs-exactly-once";
    /// A job that is done is completed again.
    WorkTwice = "work-twice", "jobs-exactly-once";
    /// Each server has a disk of its own, and reads what it wrote itself.
    DiskPerServer = "disk-per-server", "shared-state";
    /// A standby that has stopped is billed on.
    BillTheStandby = "bill-the-standby", "billing-exact";
    /// A standby is billed from when it receives traffic until its services are stopped.
    BillTheIntention = "bill-the-intention", "billing-exact";
    /// A bill ends with the last scale-down that is booked, not with that which happened.
    BillPreBooked = "bill-pre-booked", "billing-exact";
    /// Hourly prices are rounded to cents.
    RoundedPrice = "rounded-price", "billing-exact";
    /// Some answers are counted nowhere.
    LoseAnAnswer = "lose-an-answer", "conservation";
    /// Latencies are told too long.
    WrongLatency = "wrong-latency", "littles-law";
    /// Cores do less than they were given, and nobody has the rest.
    LoseWork = "lose-work", "work-conservation";
    /// An up rule fires with its first sample.
    NoWindow = "no-window", "only-when-required";
    /// An alert that is resolved counts on.
    ResolvedIgnored = "resolved-ignored", "only-when-required";
    /// The load is not projected onto the servers that would remain.
    NoProjection = "no-projection", "no-flap";
    /// One down rule suffices to release a server, whatever the others say.
    OrOnScaleDown = "or-on-scale-down", "no-flap";
    /// A missing sample counts as no load when a server may be released.
    MissingAsZero = "missing-as-zero", "no-flap";
    /// A schedule that finds the group busy or at rest at its minute is lost.
    LostSchedule = "lost-schedule", "demand-met";
    /// One host serves the schedules of a whole platform and comes to a group once an hour.
    SerialHost = "serial-host", "demand-met";
    /// A scale-up waits until the primary runs no background job.
    WaitForJobs = "wait-for-jobs", "demand-met";
    /// Steps have no deadline.
    WaitForever = "wait-forever", "demand-met";
    /// A command is repeated under a new id, and the answer to the first is not known any more.
    RetryUnderNewId = "retry-under-new-id", "demand-met";
    /// A server that has faulted is never tried again.
    StayFaulted = "stay-faulted", "demand-met";
    /// What the proxy says of its routing is not compared with what it was told.
    RoutingUnchecked = "routing-unchecked", "demand-met";
    /// A server whose machine has died counts as serving.
    DeathUnnoticed = "death-unnoticed", "demand-met";
    /// A host that takes over forgets commands that have not ended.
    UnfinishedForgotten = "unfinished-forgotten", "demand-met";
    /// A scale-up that fails is left as it is.
    NoRollBack = "no-roll-back", "standby-restored";
    /// A machine that runs unasked is left on.
    StrayLeftOn = "stray-left-on", "standby-restored";
    /// Commands of a sequence that another has followed are carried out.
    NoFenceByGeneration = "no-fence-by-generation", "one-writer";
    /// Commands of a host that was taken over are carried out.
    NoFenceByTerm = "no-fence-by-term", "one-writer";
}

/// A set of defects. In a file it is a list of their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defects(u64);

impl Defects {
    /// No defect.
    pub const NONE: Self = Self(0);

    /// This one and those.
    #[must_use]
    pub const fn with(self, defect: Defect) -> Self {
        Self(self.0 | 1 << defect as u64)
    }

    /// Whether `defect` is one of them.
    pub const fn has(self, defect: Defect) -> bool {
        self.0 >> defect as u64 & 1 != 0
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// Those that there are, in the order of [`Defect::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Defect> {
        Defect::ALL.into_iter().filter(move |defect| self.has(*defect))
    }
}

impl FromIterator<Defect> for Defects {
    fn from_iter<I: IntoIterator<Item = Defect>>(defects: I) -> Self {
        defects.into_iter().fold(Self::NONE, Self::with)
    }
}

impl Serialize for Defects {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Defects {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Defect>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl JsonSchema for Defects {
    fn schema_name() -> Cow<'static, str> {
        "Defects".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<Defect>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_has_the_name_that_a_file_has_for_it() {
        for defect in Defect::ALL {
            assert_eq!(serde_json::to_value(defect).unwrap(), defect.name());
        }
    }

    #[test]
    fn a_set_is_written_as_a_list_of_names_and_read_again() {
        let set: Defects = [Defect::NoWindow, Defect::ForcedKill].into_iter().collect();
        let text = serde_json::to_string(&set).unwrap();
        assert_eq!(text, r#"["forced-kill","no-window"]"#);
        assert_eq!(serde_json::from_str::<Defects>(&text).unwrap(), set);
        let all: Defects = Defect::ALL.into_iter().collect();
        assert_eq!(all.iter().count(), Defect::ALL.len());
        assert!(Defects::NONE.is_empty() && !set.has(Defect::RouteBeforeReady));
    }
}
