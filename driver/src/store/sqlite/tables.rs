//! The tables, and what is read from them and written to them.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{
    Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params,
};
use tidegate_core::{Span, Timestamp};
use tokio::runtime::Handle;

use crate::store::queue::{self, Append, Batch};
use crate::store::{Asked, Checkpoint, Mark, Past, Record, StoreError, Stored};

/// The version of the tables' form.
const FORMAT: i64 = 2;

const TABLES: &str = "
    CREATE TABLE host (one INTEGER PRIMARY KEY CHECK (one = 0), term INTEGER NOT NULL);
    CREATE TABLE journal (
        group_name TEXT NOT NULL, number INTEGER NOT NULL,
        at INTEGER NOT NULL, line BLOB NOT NULL,
        PRIMARY KEY (group_name, number)
    ) WITHOUT ROWID;
";

/// Every checkpoint as far back as lines are kept, and what was noted meanwhile.
const PAST: &str = "
    CREATE TABLE checkpoint (
        group_name TEXT NOT NULL, number INTEGER NOT NULL,
        at INTEGER NOT NULL, state BLOB NOT NULL,
        PRIMARY KEY (group_name, number)
    ) WITHOUT ROWID;
    CREATE TABLE note (
        group_name TEXT NOT NULL, at INTEGER NOT NULL, what TEXT NOT NULL,
        PRIMARY KEY (group_name, at, what)
    ) WITHOUT ROWID;
";

/// The first format had a group's last checkpoint alone.
const FROM_FIRST: [&str; 2] = [
    "ALTER TABLE checkpoint RENAME TO last_checkpoint",
    "INSERT INTO checkpoint (group_name, number, at, state)
         SELECT last.group_name, last.number, COALESCE(journal.at, 0), last.state
         FROM last_checkpoint AS last LEFT JOIN journal
         ON journal.group_name = last.group_name AND journal.number = last.number;
     DROP TABLE last_checkpoint",
];

const FIRST: &str = "SELECT state FROM checkpoint WHERE group_name = ?1 ORDER BY number LIMIT 1";
const LAST: &str = "SELECT state FROM checkpoint WHERE group_name = ?1 AND at <= ?2
                    ORDER BY number DESC LIMIT 1";

/// Tables that an older program does not know, and does not need to know.
const MORE: &str = "
    CREATE TABLE IF NOT EXISTS setup (
        group_name TEXT PRIMARY KEY, marks TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS request (
        group_name TEXT NOT NULL, number INTEGER NOT NULL,
        at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
        PRIMARY KEY (group_name, number)
    ) WITHOUT ROWID;
";

/// The file, and how long it keeps lines.
pub struct Tables {
    connection: Connection,
    keep: Option<Span>,
}

impl From<rusqlite::Error> for StoreError {
    fn from(why: rusqlite::Error) -> Self {
        Self::Broken(why.to_string())
    }
}

fn broken(why: impl std::fmt::Display) -> StoreError {
    StoreError::Broken(why.to_string())
}

impl Tables {
    pub(super) fn open(path: &Path, keep: Option<Span>) -> Result<Self, StoreError> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(broken)?;
        }
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if format > FORMAT {
            return Err(StoreError::Newer(format));
        }
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        let opening = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let format: i64 = opening.pragma_query_value(None, "user_version", |row| row.get(0))?;
        match format {
            0 => opening.execute_batch(&[TABLES, PAST].concat())?,
            1 => opening.execute_batch(&[FROM_FIRST[0], ";", PAST, FROM_FIRST[1]].concat())?,
            _ => {}
        }
        opening.pragma_update(None, "user_version", FORMAT)?;
        opening.execute_batch(MORE)?;
        opening.commit()?;
        Ok(Self { connection, keep })
    }

    /// Opens a file of this format to be read alone.
    pub fn look(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        match format {
            FORMAT => Ok(Self { connection, keep: None }),
            newer if newer > FORMAT => Err(StoreError::Newer(newer)),
            older => Err(StoreError::Older(older)),
        }
    }

    fn last_checkpoint(
        &mut self,
        group: &str,
        until: Timestamp,
    ) -> Result<Option<Checkpoint>, StoreError> {
        self.checkpoint_by(LAST, params![group, until.as_nanos()])
    }

    fn checkpoint_by(
        &mut self,
        read: &str,
        given: impl rusqlite::Params,
    ) -> Result<Option<Checkpoint>, StoreError> {
        let state: Option<Vec<u8>> =
            self.connection.query_row(read, given, |row| row.get(0)).optional()?;
        state.map(|state| serde_json::from_slice(&state).map_err(broken)).transpose()
    }

    fn lines(&mut self, group: &str, from: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let from = i64::try_from(from).map_err(broken)?;
        let read = "SELECT line FROM journal WHERE group_name = ?1 AND number >= ?2
                    ORDER BY number";
        let mut read = self.connection.prepare_cached(read)?;
        let lines = read.query_map(params![group, from], |row| row.get(0))?;
        Ok(lines.collect::<Result<_, _>>()?)
    }
}

#[async_trait]
impl queue::Tables for Tables {
    async fn serve(mut self, batch: Batch) -> Option<Self> {
        // A panic there loses the connection.
        let served = tokio::task::spawn_blocking(move || {
            Handle::current().block_on(batch.upon(&mut self));
            self
        });
        served.await.ok()
    }

    async fn begin_term(&mut self) -> Result<u32, StoreError> {
        let begin = "INSERT INTO host (one, term) VALUES (0, 0)
                     ON CONFLICT (one) DO UPDATE SET term = term + 1 RETURNING term";
        Ok(self.connection.query_row(begin, [], |row| row.get(0))?)
    }

    async fn load(&mut self, group: &str) -> Result<Option<Stored>, StoreError> {
        let Some(checkpoint) = self.last_checkpoint(group, Timestamp::MAX)? else {
            return Ok(None);
        };
        let tail = self.lines(group, checkpoint.number + 1)?;
        Ok(Some(Stored { checkpoint, tail }))
    }

    async fn past(&mut self, group: &str, since: Timestamp) -> Result<Option<Past>, StoreError> {
        let since = self.last_checkpoint(group, since)?;
        let checkpoint = match since {
            Some(checkpoint) => checkpoint,
            None => match self.checkpoint_by(FIRST, params![group])? {
                Some(first) => first,
                None => return Ok(None),
            },
        };
        let lines = self.lines(group, checkpoint.number + 1)?;
        let read = "SELECT what FROM note WHERE group_name = ?1 ORDER BY at, what";
        let mut read = self.connection.prepare_cached(read)?;
        let notes = read.query_map([group], |row| row.get::<_, String>(0))?;
        let note = |text: rusqlite::Result<String>| serde_json::from_str(&text?).map_err(broken);
        let notes = notes.map(note).collect::<Result<_, StoreError>>()?;
        Ok(Some(Past { checkpoint, lines, notes }))
    }

    async fn journal(&mut self, group: &str, from: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        self.lines(group, from)
    }

    async fn asked(&mut self, group: &str, most: u32) -> Result<Vec<Asked>, StoreError> {
        let read = "SELECT at, who, what FROM request WHERE group_name = ?1
                    ORDER BY number DESC LIMIT ?2";
        let mut read = self.connection.prepare_cached(read)?;
        let rows = read.query_map(params![group, most], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?;
        let asked = rows.map(|row| {
            let (at, who, what) = row?;
            let request = serde_json::from_str(&what).map_err(broken)?;
            Ok(Asked { at: Timestamp::from_nanos(at), who, request })
        });
        asked.collect()
    }

    async fn marks(&mut self, group: &str) -> Result<Vec<Mark>, StoreError> {
        let read = "SELECT marks FROM setup WHERE group_name = ?1";
        let text: Option<String> =
            self.connection.query_row(read, [group], |row| row.get(0)).optional()?;
        text.map_or(Ok(Vec::new()), |text| serde_json::from_str(&text).map_err(broken))
    }

    async fn mark(&mut self, ours: u32, group: &str, marks: &[Mark]) -> Result<(), StoreError> {
        let text = serde_json::to_string(marks).map_err(broken)?;
        let writing = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        check(ours, term(&writing)?)?;
        let put = "INSERT INTO setup (group_name, marks) VALUES (?1, ?2)
                   ON CONFLICT (group_name) DO UPDATE SET marks = ?2";
        writing.execute(put, params![group, text])?;
        Ok(writing.commit()?)
    }

    async fn append(
        &mut self,
        appends: &[Append],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let keep = self.keep;
        let writing = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let now = term(&writing)?;
        let mut results = Vec::new();
        for (ours, group, record) in appends {
            let allowed = check(*ours, now);
            if allowed.is_ok() {
                write(&writing, group, record, keep)?;
            }
            results.push(allowed);
        }
        writing.commit()?;
        Ok(results)
    }

    async fn checkpoint(
        &mut self,
        ours: u32,
        group: &str,
        checkpoint: &Checkpoint,
    ) -> Result<(), StoreError> {
        let writing = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        check(ours, term(&writing)?)?;
        put(&writing, group, checkpoint)?;
        Ok(writing.commit()?)
    }
}

/// The term in force.
fn term(writing: &Transaction<'_>) -> Result<u32, StoreError> {
    let term = writing.query_row("SELECT term FROM host", [], |row| row.get(0)).optional()?;
    Ok(term.unwrap_or(0))
}

const fn check(ours: u32, now: u32) -> Result<(), StoreError> {
    if ours == now { Ok(()) } else { Err(StoreError::Fenced { ours, now }) }
}

fn put(writing: &Transaction<'_>, group: &str, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    let number = i64::try_from(checkpoint.number).map_err(broken)?;
    let state = serde_json::to_vec(checkpoint).map_err(broken)?;
    let put = "INSERT INTO checkpoint (group_name, number, at, state) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (group_name, number) DO UPDATE SET at = ?3, state = ?4";
    let at = checkpoint.at.as_nanos();
    writing.prepare_cached(put)?.execute(params![group, number, at, state])?;
    Ok(())
}

fn write(
    writing: &Transaction<'_>,
    group: &str,
    record: &Record,
    keep: Option<Span>,
) -> Result<(), StoreError> {
    let number = i64::try_from(record.number).map_err(broken)?;
    let add = "INSERT INTO journal (group_name, number, at, line) VALUES (?1, ?2, ?3, ?4)";
    let mut add = writing.prepare_cached(add)?;
    add.execute(params![group, number, record.at.as_nanos(), record.line])?;
    for note in &record.notes {
        let add = "INSERT OR IGNORE INTO note (group_name, at, what) VALUES (?1, ?2, ?3)";
        let what = serde_json::to_string(note).map_err(broken)?;
        writing.prepare_cached(add)?.execute(params![group, note.at.as_nanos(), what])?;
    }
    if let Some(Asked { at, who, request }) = &record.asked {
        let what = serde_json::to_string(request).map_err(broken)?;
        let add = "INSERT INTO request (group_name, number, at, who, what)
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut add = writing.prepare_cached(add)?;
        add.execute(params![group, number, at.as_nanos(), who, what])?;
    }
    let Some(checkpoint) = &record.checkpoint else { return Ok(()) };
    put(writing, group, checkpoint)?;
    keep.map_or(Ok(()), |keep| forget(writing, group, record.at - keep))
}

/// Forgets what came before the last checkpoint that is older than `before`, so that what is left
/// can be stepped through from its beginning on.
fn forget(writing: &Transaction<'_>, group: &str, before: Timestamp) -> Result<(), StoreError> {
    let find = "SELECT number, at FROM checkpoint WHERE group_name = ?1 AND at < ?2
                ORDER BY number DESC LIMIT 1";
    let mut find = writing.prepare_cached(find)?;
    let first = find.query_row(params![group, before.as_nanos()], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    });
    let Some((number, at)) = first.optional()? else { return Ok(()) };
    for (old, bound) in [
        ("DELETE FROM journal WHERE group_name = ?1 AND number <= ?2", number),
        ("DELETE FROM checkpoint WHERE group_name = ?1 AND number < ?2", number),
        ("DELETE FROM note WHERE group_name = ?1 AND at < ?2", at),
    ] {
        writing.prepare_cached(old)?.execute(params![group, bound])?;
    }
    Ok(())
}
