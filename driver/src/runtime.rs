//! The host of many controllers: what they learn, what they decided and who carries it out.
//!
//! A group is one task: it looks at its servers, steps its controller, stores the line, and only
//! then carries the commands out, whose ends are inputs like any other. Groups share a store and
//! nothing else, so one whose provider is slow delays none of the others.

mod group;
mod handle;
mod hands;
mod recover;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tidegate_core::{
    Command, GroupConfig, Input, OperatorRequest, Outcome, RestoreError, Span, Step, Timestamp,
};
use tokio::sync::{mpsc, watch as signal};
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::ports::{PortError, Ports};
use crate::store::{Store, StoreError};

pub(crate) use group::CHECKPOINT_EVERY;
use group::Member;
use handle::MESSAGES;
pub use handle::{Handle, RequestError, Status};
pub(crate) use recover::stages;

/// How often and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Between two looks at a group's servers.
    pub look: Span,
    /// The same while a sequence is under way.
    pub look_moving: Span,
    /// How long a look waits for answers. What comes later is part of the next one.
    pub patience: Span,
    /// How long an answer is waited for at all.
    pub answer: Span,
    /// Between two questions whether a machine has come up or gone down.
    pub poll: Span,
    /// How long an attempt at a command goes on past its deadline, when the core has ceased to wait
    /// for it, before it is dropped.
    pub grace: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            look: Span::from_secs(15),
            look_moving: Span::from_secs(5),
            patience: Span::from_secs(2),
            answer: Span::from_secs(10),
            poll: Span::from_secs(2),
            grace: Span::from_mins(10),
        }
    }
}

/// Whether commands are carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They are.
    #[default]
    Act,
    /// None is. A start counts as refused, so that its sequence ends and is decided on anew after
    /// its rest, as long as it is asked for; anything else counts as done.
    Shadow,
}

/// A group to be hosted.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name, by which the store knows it.
    pub name: String,
    /// How it scales. Its policy must pass [`tidegate_core::policy::Policy::check`].
    pub config: GroupConfig,
    /// Its servers, its proxy and the rest.
    pub ports: Ports,
}

/// What a host needs.
#[derive(Clone)]
pub struct Setup {
    /// What survives it.
    pub store: Arc<dyn Store>,
    /// What it knows the time from.
    pub clock: Arc<dyn Clock>,
    /// Whom it tells what happens.
    pub listener: Arc<dyn Listener>,
    /// How often and how long.
    pub limits: Limits,
    /// Whether it acts.
    pub mode: Mode,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limits, mode, .. } = self;
        f.debug_struct("Setup").field("limits", limits).field("mode", mode).finish_non_exhaustive()
    }
}

/// What happens in a group, for those who watch it. None of it is needed to go on.
#[derive(Debug)]
pub enum Event<'a> {
    /// The host has taken it up, after so many lines of its journal.
    TakenUp {
        /// Lines, none for a group that is new.
        lines: u64,
    },
    /// A person asked for something. It is stored, with who it was.
    Asked {
        /// Who, as the person says.
        who: &'a str,
        /// For what.
        request: &'a OperatorRequest,
    },
    /// A step was stored.
    Stepped {
        /// Upon what.
        input: &'a Input,
        /// What followed.
        step: &'a Step,
    },
    /// An attempt at a command ended.
    Ended {
        /// The command.
        command: &'a Command,
        /// How.
        outcome: Outcome,
        /// Why, if it failed.
        why: Option<&'a PortError>,
    },
    /// An attempt at a command was dropped: it did not end in the grace after its deadline.
    Dropped {
        /// The command.
        command: &'a Command,
    },
    /// What could be seen cannot be seen any more.
    Blind {
        /// Of what.
        what: &'a str,
        /// Why.
        why: &'a PortError,
    },
    /// A notification of an alert has no effect.
    AlertLeftOut {
        /// Why.
        why: &'a str,
    },
    /// It has a set-up, and was never enabled: nobody has tried whether it can be scaled.
    NotEnabled,
    /// It can be seen again.
    SeesAgain {
        /// What.
        what: &'a str,
    },
}

/// Why a host does not act, where several share a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Idle {
    /// Another acts.
    #[error("this host waits while another acts: {by}")]
    Waits {
        /// Which, as it calls itself.
        by: String,
    },
    /// It cannot know whether another acts.
    #[error("this host waits for its store, which cannot be reached: {why}")]
    Cut {
        /// Why.
        why: String,
    },
}

/// What happens to a host where several share a store.
#[derive(Debug)]
pub enum HostEvent<'a> {
    /// It does not act.
    Idle {
        /// Why.
        why: &'a Idle,
    },
    /// It acts from now on.
    Acts {
        /// In which term.
        term: u32,
    },
    /// It may act no more, and waits again.
    Lost {
        /// Why.
        why: &'a StoreError,
    },
}

/// Is told what happens. It must not block.
pub trait Listener: Send + Sync {
    /// `event` happened in `group` at `at`.
    fn tell(&self, at: Timestamp, group: &str, event: &Event<'_>);

    /// `event` happened to the host at `at`.
    fn tell_of_host(&self, at: Timestamp, event: &HostEvent<'_>);
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deaf;

impl Listener for Deaf {
    fn tell(&self, _: Timestamp, _: &str, _: &Event<'_>) {}

    fn tell_of_host(&self, _: Timestamp, _: &HostEvent<'_>) {}
}

/// Why a host cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The store refused or failed.
    #[error("failed to store what group `{group}` does")]
    Store {
        /// The group.
        group: String,
        /// Why.
        source: StoreError,
    },
    /// What is stored cannot be taken up.
    #[error("failed to take up group `{group}`")]
    Restore {
        /// The group.
        group: String,
        /// Why.
        source: RestoreError,
    },
    /// The journal was written by a program that decides otherwise.
    #[error(
        "line {number} of the journal of group `{group}` does not follow from those before it: \
         start the version that wrote it once more and stop it, then start this one"
    )]
    Differs {
        /// The group.
        group: String,
        /// The line.
        number: u64,
    },
    /// The configuration changed in what a group cannot change while it is known.
    #[error(
        "group `{group}` is stored with {stored} standbys and is configured with {given}: \
         give it another name, or the number it had"
    )]
    Standbys {
        /// The group.
        group: String,
        /// As it is stored.
        stored: u16,
        /// As it is configured.
        given: u16,
    },
    /// The same of the shares of the traffic, of the primary and of a standby.
    #[error(
        "group `{group}` is stored with weights of {} and {} and is configured with {} and {}: \
         give it another name, or those it had",
        stored.0, stored.1, given.0, given.1
    )]
    Weights {
        /// The group.
        group: String,
        /// As they are stored.
        stored: (u16, u16),
        /// As they are configured.
        given: (u16, u16),
    },
    /// A task of the runtime broke off, which is a defect of it or of an adapter.
    #[error("a group's task broke off: {0}")]
    Broke(String),
}

/// Hosts the controllers of many groups. Dropping it is as good as killing it.
#[derive(Debug)]
pub struct Host {
    term: u32,
    tasks: JoinSet<Result<(), Fault>>,
    handle: Handle,
}

impl Host {
    /// Takes over from the host before, and every group up where that one left it.
    ///
    /// # Errors
    /// If the store gives no term.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start(setup: &Setup, groups: Vec<Group>) -> Result<Self, StoreError> {
        let term = setup.store.begin_term().await?;
        if setup.store.lease().is_some() {
            // Before anything that it does is told.
            setup.listener.tell_of_host(setup.clock.now(), &HostEvent::Acts { term });
        }
        let (stop, stopped) = signal::channel(false);
        let count = groups.len() as i64;
        let (mut tasks, mut senders) = (JoinSet::new(), BTreeMap::new());
        for (index, group) in (0..).zip(groups) {
            let (sender, requests) = mpsc::channel(MESSAGES);
            senders.insert(group.name.clone(), sender);
            // Looks of many groups are spread over the time between two of one.
            let phase = Span::from_nanos(setup.limits.look.as_nanos() / count).times(index);
            let stopped = stopped.clone();
            let begun = Member::begin(setup.clone(), term, phase, group, requests, stopped);
            tasks.spawn(async move { begun.await?.run().await });
        }
        let handle = Handle::new(senders, stop);
        Ok(Self { term, tasks, handle })
    }

    /// Its term, above that of every host before.
    pub const fn term(&self) -> u32 {
        self.term
    }

    /// Reaches it from elsewhere.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Goes on until it is stopped, or until a group cannot go on: then none does.
    ///
    /// # Errors
    /// Why it cannot go on.
    pub async fn run(mut self) -> Result<(), Fault> {
        while let Some(ended) = self.tasks.join_next().await {
            ended.map_err(|why| Fault::Broke(why.to_string()))??;
        }
        Ok(())
    }
}
