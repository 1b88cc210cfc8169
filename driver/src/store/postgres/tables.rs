//! What is read from the tables.

use tidegate_core::Timestamp;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::link::Failed;
use crate::store::{Asked, Checkpoint, Mark, Past, Stored};

const LAST: &str = "SELECT state FROM tidegate.checkpoint WHERE group_name = $1 AND at <= $2
                    ORDER BY number DESC LIMIT 1";
const FIRST: &str = "SELECT state FROM tidegate.checkpoint WHERE group_name = $1
                     ORDER BY number LIMIT 1";

pub(super) async fn load(client: &mut Client, group: &str) -> Result<Option<Stored>, Failed> {
    let Some(checkpoint) = last_checkpoint(client, group, Timestamp::MAX).await? else {
        return Ok(None);
    };
    let tail = journal(client, group, checkpoint.number + 1).await?;
    Ok(Some(Stored { checkpoint, tail }))
}

pub(super) async fn past(
    client: &mut Client,
    group: &str,
    since: Timestamp,
) -> Result<Option<Past>, Failed> {
    let checkpoint = match last_checkpoint(client, group, since).await? {
        Some(checkpoint) => Some(checkpoint),
        None => checkpoint_by(client, FIRST, &[(&group, Type::TEXT)]).await?,
    };
    let Some(checkpoint) = checkpoint else { return Ok(None) };
    let lines = journal(client, group, checkpoint.number + 1).await?;
    let read = "SELECT what FROM tidegate.note WHERE group_name = $1 ORDER BY at, what";
    let rows = client.query_typed(read, &[(&group, Type::TEXT)]).await?;
    let note = |row: &Row| Ok(serde_json::from_str(row.try_get(0)?)?);
    let notes = rows.iter().map(note).collect::<Result<_, Failed>>()?;
    Ok(Some(Past { checkpoint, lines, notes }))
}

async fn last_checkpoint(
    client: &Client,
    group: &str,
    until: Timestamp,
) -> Result<Option<Checkpoint>, Failed> {
    let until = until.as_nanos();
    checkpoint_by(client, LAST, &[(&group, Type::TEXT), (&until, Type::INT8)]).await
}

async fn checkpoint_by(
    client: &Client,
    read: &str,
    given: &[(&(dyn ToSql + Sync), Type)],
) -> Result<Option<Checkpoint>, Failed> {
    let rows = client.query_typed(read, given).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(serde_json::from_slice(row.try_get(0)?)?))
}

pub(super) async fn journal(
    client: &mut Client,
    group: &str,
    from: u64,
) -> Result<Vec<Vec<u8>>, Failed> {
    let from = i64::try_from(from)?;
    let read = "SELECT line FROM tidegate.journal WHERE group_name = $1 AND number >= $2
                ORDER BY number";
    let given: [(&(dyn ToSql + Sync), _); 2] = [(&group, Type::TEXT), (&from, Type::INT8)];
    let rows = client.query_typed(read, &given).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

pub(super) async fn asked(
    client: &mut Client,
    group: &str,
    most: u32,
) -> Result<Vec<Asked>, Failed> {
    let most = i64::from(most);
    let read = "SELECT at, who, what FROM tidegate.request WHERE group_name = $1
                ORDER BY number DESC LIMIT $2";
    let given: [(&(dyn ToSql + Sync), _); 2] = [(&group, Type::TEXT), (&most, Type::INT8)];
    let rows = client.query_typed(read, &given).await?;
    let asked = |row: &Row| {
        let at = Timestamp::from_nanos(row.try_get(0)?);
        Ok(Asked { at, who: row.try_get(1)?, request: serde_json::from_str(row.try_get(2)?)? })
    };
    rows.iter().map(asked).collect()
}

pub(super) async fn marks(client: &mut Client, group: &str) -> Result<Vec<Mark>, Failed> {
    let read = "SELECT marks FROM tidegate.setup WHERE group_name = $1";
    let given: [(&(dyn ToSql + Sync), _); 1] = [(&group, Type::TEXT)];
    let rows = client.query_typed(read, &given).await?;
    let Some(row) = rows.first() else { return Ok(Vec::new()) };
    Ok(serde_json::from_str(row.try_get(0)?)?)
}
