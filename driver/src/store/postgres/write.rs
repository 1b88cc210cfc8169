//! What is written to the tables, each time under the lock of the term.

use tidegate_core::Span;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Transaction};

use super::link::Failed;
use crate::store::queue::Append;
use crate::store::{Checkpoint, Mark, StoreError};

/// A parameter with its type, so that a statement takes one round trip.
type Given<'a> = (&'a (dyn ToSql + Sync), Type);

pub(super) async fn begin_term(client: &mut Client, holder: &str) -> Result<u32, Failed> {
    let beginning = client.transaction().await?;
    let held = "SELECT holder, extract(epoch FROM until - clock_timestamp())::float8
                FROM tidegate.lease WHERE until > '-infinity' FOR SHARE";
    if let Some(row) = beginning.query_opt(held, &[]).await? {
        let (by, left): (String, f64) = (row.try_get(0)?, row.try_get(1)?);
        if by != holder && left > 0.0 {
            return Err(super::lease::held(by, left).into());
        }
    }
    let begin = "UPDATE tidegate.host SET term = term + 1 RETURNING term";
    let term: i64 = beginning.query_one(begin, &[]).await?.try_get(0)?;
    let term = u32::try_from(term)?;
    beginning.commit().await?;
    Ok(term)
}

/// The term in force. It stays so until the transaction ends.
async fn term(writing: &Transaction<'_>) -> Result<u32, Failed> {
    let read = "SELECT term FROM tidegate.host FOR UPDATE";
    let term: i64 = writing.query_typed_one(read, &[]).await?.try_get(0)?;
    // Before the first term there is none that a host could have.
    Ok(u32::try_from(term.max(0))?)
}

const fn allowed(ours: u32, now: u32) -> Result<(), StoreError> {
    if ours == now { Ok(()) } else { Err(StoreError::Fenced { ours, now }) }
}

/// Writes all lines of hosts whose term is in force; each one's result. Lines that were tried
/// before may have been written then.
pub(super) async fn append(
    client: &mut Client,
    appends: &[Append],
    keep: Option<Span>,
    tried_before: bool,
) -> Result<Vec<Result<(), StoreError>>, Failed> {
    let writing = client.transaction().await?;
    let now = term(&writing).await?;
    let results: Vec<_> = appends.iter().map(|(ours, ..)| allowed(*ours, now)).collect();
    let ours: Vec<_> = appends.iter().filter(|(ours, ..)| *ours == now).collect();
    let lines = Lines::of(&ours)?;
    if !(tried_before && lines.are_there(&writing).await?) {
        lines.write(&writing).await?;
        write_notes(&writing, &ours).await?;
        write_requests(&writing, &ours).await?;
        for (_, group, record) in ours {
            let Some(checkpoint) = &record.checkpoint else { continue };
            put(&writing, group, checkpoint).await?;
            if let Some(keep) = keep {
                forget(&writing, group, (record.at - keep).as_nanos()).await?;
            }
        }
    }
    writing.commit().await?;
    Ok(results)
}

pub(super) async fn checkpoint(
    client: &mut Client,
    ours: u32,
    group: &str,
    checkpoint: &Checkpoint,
) -> Result<(), Failed> {
    let writing = client.transaction().await?;
    allowed(ours, term(&writing).await?)?;
    put(&writing, group, checkpoint).await?;
    Ok(writing.commit().await?)
}

/// Stores how far a group's set-up has come.
pub(super) async fn mark(
    client: &mut Client,
    ours: u32,
    group: &str,
    marks: &[Mark],
) -> Result<(), Failed> {
    let text = serde_json::to_string(marks)?;
    let writing = client.transaction().await?;
    allowed(ours, term(&writing).await?)?;
    let put = "INSERT INTO tidegate.setup (group_name, marks) VALUES ($1, $2)
               ON CONFLICT (group_name) DO UPDATE SET marks = $2";
    let given: [Given<'_>; 2] = [(&group, Type::TEXT), (&text, Type::TEXT)];
    writing.execute_typed(put, &given).await?;
    Ok(writing.commit().await?)
}

/// Lines of the journal, column by column.
struct Lines<'a> {
    groups: Vec<&'a str>,
    numbers: Vec<i64>,
    at: Vec<i64>,
    text: Vec<&'a [u8]>,
}

impl<'a> Lines<'a> {
    fn of(appends: &[&'a Append]) -> Result<Self, Failed> {
        let numbers = appends.iter().map(|(_, _, record)| i64::try_from(record.number));
        Ok(Self {
            groups: appends.iter().map(|(_, group, _)| group.as_str()).collect(),
            numbers: numbers.collect::<Result<_, _>>()?,
            at: appends.iter().map(|(_, _, record)| record.at.as_nanos()).collect(),
            text: appends.iter().map(|(_, _, record)| record.line.as_slice()).collect(),
        })
    }

    fn columns(&self) -> [Given<'_>; 4] {
        [
            (&self.groups, Type::TEXT_ARRAY),
            (&self.numbers, Type::INT8_ARRAY),
            (&self.at, Type::INT8_ARRAY),
            (&self.text, Type::BYTEA_ARRAY),
        ]
    }

    async fn are_there(&self, writing: &Transaction<'_>) -> Result<bool, Failed> {
        let count = "SELECT count(*) FROM tidegate.journal JOIN
                     unnest($1, $2, $3, $4) AS given (group_name, number, at, line)
                     USING (group_name, number, at, line)";
        let there: i64 = writing.query_typed_one(count, &self.columns()).await?.try_get(0)?;
        Ok(there == i64::try_from(self.text.len())?)
    }

    async fn write(&self, writing: &Transaction<'_>) -> Result<(), Failed> {
        let add = "INSERT INTO tidegate.journal (group_name, number, at, line)
                   SELECT * FROM unnest($1, $2, $3, $4)";
        writing.execute_typed(add, &self.columns()).await?;
        Ok(())
    }
}

async fn write_notes(writing: &Transaction<'_>, appends: &[&Append]) -> Result<(), Failed> {
    let (mut groups, mut at, mut what) = (Vec::new(), Vec::new(), Vec::new());
    for (_, group, record) in appends {
        for note in &record.notes {
            groups.push(group.as_str());
            at.push(note.at.as_nanos());
            what.push(serde_json::to_string(note)?);
        }
    }
    if groups.is_empty() {
        return Ok(());
    }
    let add = "INSERT INTO tidegate.note (group_name, at, what)
               SELECT * FROM unnest($1, $2, $3) ON CONFLICT DO NOTHING";
    let given: [Given<'_>; 3] =
        [(&groups, Type::TEXT_ARRAY), (&at, Type::INT8_ARRAY), (&what, Type::TEXT_ARRAY)];
    writing.execute_typed(add, &given).await?;
    Ok(())
}

async fn write_requests(writing: &Transaction<'_>, appends: &[&Append]) -> Result<(), Failed> {
    for (_, group, record) in appends {
        let Some(asked) = &record.asked else { continue };
        let (number, at) = (i64::try_from(record.number)?, asked.at.as_nanos());
        let what = serde_json::to_string(&asked.request)?;
        let add = "INSERT INTO tidegate.request (group_name, number, at, who, what)
                   VALUES ($1, $2, $3, $4, $5)";
        let given: [Given<'_>; 5] = [
            (group, Type::TEXT),
            (&number, Type::INT8),
            (&at, Type::INT8),
            (&asked.who, Type::TEXT),
            (&what, Type::TEXT),
        ];
        writing.execute_typed(add, &given).await?;
    }
    Ok(())
}

async fn put(
    writing: &Transaction<'_>,
    group: &str,
    checkpoint: &Checkpoint,
) -> Result<(), Failed> {
    let (number, at) = (i64::try_from(checkpoint.number)?, checkpoint.at.as_nanos());
    let state = serde_json::to_vec(checkpoint)?;
    let put = "INSERT INTO tidegate.checkpoint (group_name, number, at, state)
               VALUES ($1, $2, $3, $4)
               ON CONFLICT (group_name, number) DO UPDATE SET at = $3, state = $4";
    let given: [Given<'_>; 4] =
        [(&group, Type::TEXT), (&number, Type::INT8), (&at, Type::INT8), (&state, Type::BYTEA)];
    writing.execute_typed(put, &given).await?;
    Ok(())
}

/// Forgets what came before the last checkpoint that is older than `before`, so that what is left
/// can be stepped through from its beginning on.
async fn forget(writing: &Transaction<'_>, group: &str, before: i64) -> Result<(), Failed> {
    let forget = "WITH first AS (
                      SELECT number, at FROM tidegate.checkpoint
                      WHERE group_name = $1 AND at < $2 ORDER BY number DESC LIMIT 1
                  ), lines AS (
                      DELETE FROM tidegate.journal USING first
                      WHERE group_name = $1 AND journal.number <= first.number
                  ), checkpoints AS (
                      DELETE FROM tidegate.checkpoint USING first
                      WHERE group_name = $1 AND checkpoint.number < first.number
                  )
                  DELETE FROM tidegate.note USING first
                  WHERE group_name = $1 AND note.at < first.at";
    writing.execute_typed(forget, &[(&group, Type::TEXT), (&before, Type::INT8)]).await?;
    Ok(())
}
