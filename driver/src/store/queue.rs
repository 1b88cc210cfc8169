//! A task that owns a store's tables and serves everybody who asks, in order.
//!
//! What many groups append meanwhile goes into one transaction, and so to disk with one fsync.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use tidegate_core::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::{Asked, Checkpoint, Lease, Mark, Past, Record, Store, StoreError, Stored};

/// The most that goes into one transaction.
const BATCH: usize = 1_024;

/// A line to be written: the term of the host that asks, the group, and the line.
pub type Append = (u32, String, Record);

/// What a store consists of, each call after the one before.
#[async_trait]
pub trait Tables: Send + Sized + 'static {
    /// Does what a batch asks. Nothing comes back if the tables are lost.
    async fn serve(self, batch: Batch) -> Option<Self>;

    /// As [`Store::begin_term`].
    async fn begin_term(&mut self) -> Result<u32, StoreError>;

    /// As [`Store::load`].
    async fn load(&mut self, group: &str) -> Result<Option<Stored>, StoreError>;

    /// As [`Store::journal`].
    async fn journal(&mut self, group: &str, from: u64) -> Result<Vec<Vec<u8>>, StoreError>;

    /// As [`Store::past`].
    async fn past(&mut self, group: &str, since: Timestamp) -> Result<Option<Past>, StoreError>;

    /// As [`Store::asked`].
    async fn asked(&mut self, group: &str, most: u32) -> Result<Vec<Asked>, StoreError>;

    /// As [`Store::marks`].
    async fn marks(&mut self, group: &str) -> Result<Vec<Mark>, StoreError>;

    /// As [`Store::mark`].
    async fn mark(&mut self, term: u32, group: &str, marks: &[Mark]) -> Result<(), StoreError>;

    /// As [`Store::checkpoint`].
    async fn checkpoint(
        &mut self,
        term: u32,
        group: &str,
        checkpoint: &Checkpoint,
    ) -> Result<(), StoreError>;

    /// Writes the lines of all hosts whose term is in force in one transaction; each one's result.
    async fn append(
        &mut self,
        appends: &[Append],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError>;
}

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

enum Job {
    BeginTerm(Answer<u32>),
    Load(String, Answer<Option<Stored>>),
    Journal(String, u64, Answer<Vec<Vec<u8>>>),
    Past(String, Timestamp, Answer<Option<Past>>),
    Asked(String, u32, Answer<Vec<Asked>>),
    Marks(String, Answer<Vec<Mark>>),
    Mark { term: u32, group: String, marks: Vec<Mark>, answer: Answer<()> },
    Checkpoint { term: u32, group: String, checkpoint: Box<Checkpoint>, answer: Answer<()> },
    Append(Append, Answer<()>),
}

/// What was asked while the batch before was served.
pub struct Batch(Vec<Job>);

impl Batch {
    /// Does all of it, and tells those who asked.
    pub async fn upon<T: Tables>(self, tables: &mut T) {
        let (mut appends, mut answers) = (Vec::new(), Vec::new());
        for job in self.0 {
            match job {
                Job::Append(append, answer) => {
                    appends.push(append);
                    answers.push(answer);
                }
                Job::Checkpoint { term, group, checkpoint, answer } => {
                    tell(answer, tables.checkpoint(term, &group, &checkpoint).await);
                }
                Job::BeginTerm(answer) => tell(answer, tables.begin_term().await),
                Job::Load(group, answer) => tell(answer, tables.load(&group).await),
                Job::Journal(group, from, answer) => {
                    tell(answer, tables.journal(&group, from).await);
                }
                Job::Past(group, since, answer) => tell(answer, tables.past(&group, since).await),
                Job::Asked(group, most, answer) => tell(answer, tables.asked(&group, most).await),
                Job::Marks(group, answer) => tell(answer, tables.marks(&group).await),
                Job::Mark { term, group, marks, answer } => {
                    tell(answer, tables.mark(term, &group, &marks).await);
                }
            }
        }
        if appends.is_empty() {
            return;
        }
        let results = match tables.append(&appends).await {
            Ok(results) => results,
            Err(why) => vec![Err(why); answers.len()],
        };
        for (answer, result) in answers.into_iter().zip(results) {
            tell(answer, result);
        }
    }
}

/// Whoever asked may be gone by now.
fn tell<T>(answer: Answer<T>, result: Result<T, StoreError>) {
    let _unheard = answer.send(result);
}

/// A store whose tables a task owns. The task ends with the last job of a store that was dropped.
pub struct Served<T> {
    jobs: mpsc::Sender<Job>,
    lease: Option<Arc<dyn Lease>>,
    tables: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Served<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl<T: Tables> Served<T> {
    /// Serves `tables` from now on. Panics outside a tokio runtime.
    pub(super) fn new(tables: T, lease: Option<Arc<dyn Lease>>) -> Self {
        let (jobs, inbox) = mpsc::channel(BATCH);
        tokio::spawn(serve(tables, inbox));
        Self { jobs, lease, tables: PhantomData }
    }

    async fn ask<A>(&self, job: impl FnOnce(Answer<A>) -> Job) -> Result<A, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(job(answer)).await.map_err(gone)?;
        answered.await.map_err(gone)?
    }
}

pub(super) fn gone(why: impl fmt::Display) -> StoreError {
    StoreError::Broken(format!("the store's task is gone: {why}"))
}

async fn serve<T: Tables>(mut tables: T, mut inbox: mpsc::Receiver<Job>) {
    let mut jobs = Vec::new();
    while inbox.recv_many(&mut jobs, BATCH).await > 0 {
        // Those who ask once the tables are lost are told that the task is gone.
        let Some(back) = tables.serve(Batch(std::mem::take(&mut jobs))).await else { return };
        tables = back;
    }
}

#[async_trait]
impl<T: Tables> Store for Served<T> {
    fn lease(&self) -> Option<Arc<dyn Lease>> {
        self.lease.clone()
    }

    async fn begin_term(&self) -> Result<u32, StoreError> {
        self.ask(Job::BeginTerm).await
    }

    async fn load(&self, group: &str) -> Result<Option<Stored>, StoreError> {
        self.ask(|answer| Job::Load(group.to_owned(), answer)).await
    }

    async fn append(&self, term: u32, group: &str, record: Record) -> Result<(), StoreError> {
        self.ask(|answer| Job::Append((term, group.to_owned(), record), answer)).await
    }

    async fn checkpoint(
        &self,
        term: u32,
        group: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        let (group, checkpoint) = (group.to_owned(), Box::new(checkpoint));
        self.ask(|answer| Job::Checkpoint { term, group, checkpoint, answer }).await
    }

    async fn journal(&self, group: &str, from: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        self.ask(|answer| Job::Journal(group.to_owned(), from, answer)).await
    }

    async fn past(&self, group: &str, since: Timestamp) -> Result<Option<Past>, StoreError> {
        self.ask(|answer| Job::Past(group.to_owned(), since, answer)).await
    }

    async fn asked(&self, group: &str, most: u32) -> Result<Vec<Asked>, StoreError> {
        self.ask(|answer| Job::Asked(group.to_owned(), most, answer)).await
    }

    async fn marks(&self, group: &str) -> Result<Vec<Mark>, StoreError> {
        self.ask(|answer| Job::Marks(group.to_owned(), answer)).await
    }

    async fn mark(&self, term: u32, group: &str, marks: &[Mark]) -> Result<(), StoreError> {
        let (group, marks) = (group.to_owned(), marks.to_vec());
        self.ask(|answer| Job::Mark { term, group, marks, answer }).await
    }
}
