//! A store in one `SQLite` file: the embedded default.
//!
//! One task owns the connection. What many groups append meanwhile goes into one transaction, and
//! so to disk with one fsync; the file is touched on threads that may block, and nowhere else.

mod tables;

use std::path::Path;

use async_trait::async_trait;
use tidegate_core::{Span, Timestamp};
use tokio::sync::{mpsc, oneshot};

use super::{Asked, Checkpoint, Mark, Past, Record, Store, StoreError, Stored};
use tables::Tables;

/// The most that goes into one transaction.
const BATCH: usize = 1_024;

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

enum Job {
    BeginTerm(Answer<u32>),
    Load(String, Answer<Option<Stored>>),
    Journal(String, u64, Answer<Vec<Vec<u8>>>),
    Past(String, Timestamp, Answer<Option<Past>>),
    Asked(String, u32, Answer<Vec<Asked>>),
    Checkpoint { term: u32, group: String, checkpoint: Box<Checkpoint>, answer: Answer<()> },
    Marks(String, Answer<Vec<Mark>>),
    Mark { term: u32, group: String, marks: Vec<Mark>, answer: Answer<()> },
    Append { term: u32, group: String, record: Record, answer: Answer<()> },
}

/// The store in one file.
#[derive(Debug)]
pub struct SqliteStore {
    jobs: mpsc::Sender<Job>,
}

impl SqliteStore {
    /// Opens the file, or makes it and the folders that it lies in. Lines older than `keep` are
    /// removed once a checkpoint is past them; none are if it is absent.
    ///
    /// # Errors
    /// If it cannot be opened, is no store, or a newer program wrote it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn open(path: &Path, keep: Option<Span>) -> Result<Self, StoreError> {
        let path = path.to_owned();
        Self::with(move || Tables::open(&path, keep)).await
    }

    /// Opens a file that is there and changes nothing in it, not even its format.
    ///
    /// # Errors
    /// As [`Self::open`], and if an older program wrote it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn look(path: &Path) -> Result<Self, StoreError> {
        let path = path.to_owned();
        Self::with(move || Tables::look(&path)).await
    }

    async fn with(
        open: impl FnOnce() -> Result<Tables, StoreError> + Send + 'static,
    ) -> Result<Self, StoreError> {
        let tables = tokio::task::spawn_blocking(open).await.map_err(gone)??;
        let (jobs, inbox) = mpsc::channel(BATCH);
        tokio::spawn(serve(tables, inbox));
        Ok(Self { jobs })
    }

    /// Opens a file that is there, to be read.
    ///
    /// # Errors
    /// As [`Self::open`], and if there is none.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn read(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Broken("there is no such file".to_owned()));
        }
        Self::open(path, None).await
    }

    async fn ask<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(job(answer)).await.map_err(gone)?;
        answered.await.map_err(gone)?
    }
}

fn gone(why: impl std::fmt::Display) -> StoreError {
    StoreError::Broken(format!("the store's task is gone: {why}"))
}

async fn serve(mut tables: Tables, mut inbox: mpsc::Receiver<Job>) {
    let mut jobs = Vec::new();
    while inbox.recv_many(&mut jobs, BATCH).await > 0 {
        let batch = std::mem::take(&mut jobs);
        let written = tokio::task::spawn_blocking(move || {
            handle(&mut tables, batch);
            tables
        });
        // A panic there loses the connection; those who ask from now on are told that it is gone.
        let Ok(back) = written.await else { return };
        tables = back;
    }
}

fn handle(tables: &mut Tables, jobs: Vec<Job>) {
    let mut appends = Vec::new();
    for job in jobs {
        match job {
            Job::Append { term, group, record, answer } => {
                appends.push((term, group, record, answer));
            }
            Job::Checkpoint { term, group, checkpoint, answer } => {
                tell(answer, tables.checkpoint(term, &group, &checkpoint));
            }
            Job::BeginTerm(answer) => tell(answer, tables.begin_term()),
            Job::Load(group, answer) => tell(answer, tables.load(&group)),
            Job::Journal(group, from, answer) => tell(answer, tables.journal(&group, from)),
            Job::Past(group, since, answer) => tell(answer, tables.past(&group, since)),
            Job::Marks(group, answer) => tell(answer, tables.marks(&group)),
            Job::Mark { term, group, marks, answer } => {
                tell(answer, tables.mark(term, &group, &marks));
            }
            Job::Asked(group, most, answer) => tell(answer, tables.asked(&group, most)),
        }
    }
    if appends.is_empty() {
        return;
    }
    let written = tables
        .append(appends.iter().map(|(term, group, record, _)| (*term, group.as_str(), record)));
    match written {
        Ok(results) => {
            for ((.., answer), result) in appends.into_iter().zip(results) {
                tell(answer, result);
            }
        }
        Err(why) => {
            for (.., answer) in appends {
                tell(answer, Err(why.clone()));
            }
        }
    }
}

/// Whoever asked may be gone by now.
fn tell<T>(answer: Answer<T>, result: Result<T, StoreError>) {
    let _unheard = answer.send(result);
}

#[async_trait]
impl Store for SqliteStore {
    async fn begin_term(&self) -> Result<u32, StoreError> {
        self.ask(Job::BeginTerm).await
    }

    async fn load(&self, group: &str) -> Result<Option<Stored>, StoreError> {
        self.ask(|answer| Job::Load(group.to_owned(), answer)).await
    }

    async fn append(&self, term: u32, group: &str, record: Record) -> Result<(), StoreError> {
        self.ask(|answer| Job::Append { term, group: group.to_owned(), record, answer }).await
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
