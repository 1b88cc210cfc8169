//! Reaches the groups of a host from elsewhere: for people and programs that ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_core::demand::Demand;
use tidegate_core::lifecycle::Stage;
use tidegate_core::{Decision, OperatorRequest, ServerId, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};

/// What a group was asked and has not taken up yet, at most.
pub(super) const MESSAGES: usize = 16;

/// What a group is asked from elsewhere.
#[derive(Debug)]
pub(super) enum Message {
    Request(Request),
    Status(oneshot::Sender<Status>),
}

/// What a person asks for.
#[derive(Debug)]
pub(super) struct Request {
    pub who: String,
    pub what: OperatorRequest,
    /// Is told what was decided, once that is stored.
    pub answer: oneshot::Sender<Decision>,
}

/// How a group is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// When its controller was last stepped.
    pub at: Timestamp,
    /// How many lines its journal has.
    pub line: u64,
    /// Each server, the primary first.
    pub stages: Vec<(ServerId, Stage)>,
    /// What was last decided.
    pub decision: Option<Decision>,
    /// Who wanted how many servers then.
    pub demands: Vec<Demand>,
    /// Until when a person paused it, if one did.
    pub paused_until: Option<Timestamp>,
}

/// Why a group gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no group of this name.
    #[error("there is no group `{0}`")]
    Unknown(String),
    /// Its host ended. What was asked for may have been stored.
    #[error("the host of group `{0}` has ended")]
    Ended(String),
}

/// Reaches a host's groups from elsewhere.
#[derive(Clone, Debug)]
pub struct Handle {
    groups: Arc<BTreeMap<String, mpsc::Sender<Message>>>,
    stop: Arc<watch::Sender<bool>>,
}

impl Handle {
    pub(super) fn new(
        groups: BTreeMap<String, mpsc::Sender<Message>>,
        stop: watch::Sender<bool>,
    ) -> Self {
        Self { groups: Arc::new(groups), stop: Arc::new(stop) }
    }

    /// The names of its groups.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    /// Asks a group for something, as a person of this name. What was decided, once that is on
    /// disk.
    ///
    /// # Errors
    /// If there is no such group, or its host ends.
    pub async fn request(
        &self,
        group: &str,
        who: &str,
        request: OperatorRequest,
    ) -> Result<Decision, RequestError> {
        let who = who.to_owned();
        self.ask(group, |answer| Message::Request(Request { who, what: request, answer })).await
    }

    /// How a group is.
    ///
    /// # Errors
    /// If there is no such group, or its host ends.
    pub async fn status(&self, group: &str) -> Result<Status, RequestError> {
        self.ask(group, Message::Status).await
    }

    async fn ask<T>(
        &self,
        group: &str,
        message: impl FnOnce(oneshot::Sender<T>) -> Message,
    ) -> Result<T, RequestError> {
        let sender =
            self.groups.get(group).ok_or_else(|| RequestError::Unknown(group.to_owned()))?;
        let ended = || RequestError::Ended(group.to_owned());
        let (answer, answered) = oneshot::channel();
        sender.send(message(answer)).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())
    }

    /// Lets each group finish what it is writing and stop. Commands that have not ended are left to
    /// the next host, which gets them again.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}
