//! The tables, in a schema of their own, and the version of their form.

use tokio_postgres::{Client, GenericClient};

use super::link::Failed;
use crate::store::StoreError;

/// The version of the tables' form.
const FORMAT: i64 = 1;

/// Whoever makes the tables holds this lock, so that hosts that start side by side make them once.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7234017283807667300)";

/// `host` and `lease` have one row each. A lease that nobody has ran out long ago.
const TABLES: &str = r#"
    CREATE SCHEMA IF NOT EXISTS tidegate;
    CREATE TABLE tidegate.format (version bigint NOT NULL);
    CREATE TABLE tidegate.host (term bigint NOT NULL);
    INSERT INTO tidegate.host VALUES (-1);
    CREATE TABLE tidegate.lease (holder text NOT NULL, until timestamptz NOT NULL);
    INSERT INTO tidegate.lease VALUES ('', '-infinity');
    CREATE TABLE tidegate.journal (
        group_name text NOT NULL, number bigint NOT NULL, at bigint NOT NULL, line bytea NOT NULL,
        PRIMARY KEY (group_name, number)
    );
    CREATE TABLE tidegate.checkpoint (
        group_name text NOT NULL, number bigint NOT NULL, at bigint NOT NULL, state bytea NOT NULL,
        PRIMARY KEY (group_name, number)
    );
    CREATE TABLE tidegate.note (
        group_name text NOT NULL, at bigint NOT NULL, what text COLLATE "C" NOT NULL,
        PRIMARY KEY (group_name, at, what)
    );
    CREATE TABLE tidegate.request (
        group_name text NOT NULL, number bigint NOT NULL, at bigint NOT NULL,
        who text NOT NULL, what text NOT NULL,
        PRIMARY KEY (group_name, number)
    );
    CREATE TABLE tidegate.setup (group_name text PRIMARY KEY, marks text NOT NULL);
"#;

/// Makes the tables if there are none.
pub(super) async fn make(client: &mut Client) -> Result<(), Failed> {
    let making = client.transaction().await?;
    making.batch_execute(LOCK).await?;
    if format(&making).await?.is_none() {
        making.batch_execute(TABLES).await?;
        let row = format!("INSERT INTO tidegate.format VALUES ({FORMAT})");
        making.batch_execute(&row).await?;
    }
    Ok(making.commit().await?)
}

/// Whether there are tables.
pub(super) async fn is_made(client: &mut Client) -> Result<bool, Failed> {
    Ok(format(client).await?.is_some())
}

/// The version of the tables that are there; refused if it is newer than this program's.
async fn format(client: &impl GenericClient) -> Result<Option<i64>, Failed> {
    let there = "SELECT to_regclass('tidegate.format') IS NOT NULL";
    if !client.query_one(there, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let row = client.query_one("SELECT version FROM tidegate.format", &[]).await?;
    let version: i64 = row.try_get(0)?;
    if version > FORMAT {
        return Err(StoreError::Newer(version).into());
    }
    Ok(Some(version))
}
