//! A connection that is made anew when it is lost, and how long that is tried.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::third;
use crate::store::place::reason;
use crate::store::{Database, StoreError};

/// Between two attempts.
const REST: Duration = Duration::from_millis(100);
/// How long somebody may read who need not act.
const READING: Duration = Duration::from_mins(10);

/// Why something was not done.
#[derive(Debug)]
pub(super) enum Failed {
    /// The connection is lost, or the server says to come again.
    Lost(String),
    /// It would not be done the next time either.
    Refused(StoreError),
}

impl From<tokio_postgres::Error> for Failed {
    fn from(why: tokio_postgres::Error) -> Self {
        let what = reason(&why);
        if is_lost(&why) { Self::Lost(what) } else { Self::Refused(StoreError::Broken(what)) }
    }
}

impl From<StoreError> for Failed {
    fn from(why: StoreError) -> Self {
        Self::Refused(why)
    }
}

impl From<serde_json::Error> for Failed {
    fn from(why: serde_json::Error) -> Self {
        Self::Refused(StoreError::Broken(why.to_string()))
    }
}

impl From<std::num::TryFromIntError> for Failed {
    fn from(why: std::num::TryFromIntError) -> Self {
        Self::Refused(StoreError::Broken(why.to_string()))
    }
}

impl From<Failed> for StoreError {
    fn from(why: Failed) -> Self {
        match why {
            Failed::Lost(what) => Self::Unreachable(what),
            Failed::Refused(why) => why,
        }
    }
}

fn is_lost(why: &tokio_postgres::Error) -> bool {
    if let Some(code) = why.code() {
        let passing = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::QUERY_CANCELED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
        ];
        return passing.contains(code) || code.code().starts_with("08");
    }
    let cause = std::error::Error::source(why);
    let io = cause.and_then(|cause| cause.downcast_ref::<std::io::Error>());
    let is_data = |why: &std::io::Error| {
        matches!(why.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData)
    };
    why.is_closed() || io.is_some_and(|why| !is_data(why))
}

/// A connection to a database.
pub(super) struct Link {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    client: Option<Client>,
    /// How long it may take to connect.
    connect: Duration,
    /// How long one attempt at anything may take.
    third: Duration,
}

impl Link {
    /// Connects to nothing yet.
    pub fn new(database: &Database) -> Self {
        let third = third(database);
        let mut config = database.config.clone();
        config.application_name("tidegate").tcp_user_timeout(third);
        let tls = database.tls.clone();
        Self { config, tls, client: None, connect: third, third }
    }

    /// The same for somebody who reads a lot, and need not act.
    pub const fn patient(mut self) -> Self {
        self.third = READING;
        self
    }

    /// The connection, made now if there is none.
    pub async fn client(&mut self) -> Result<&mut Client, Failed> {
        let usable = self.client.take().filter(|client| !client.is_closed());
        let client = match usable {
            Some(client) => client,
            None => self.connect().await?,
        };
        Ok(self.client.insert(client))
    }

    async fn connect(&self) -> Result<Client, Failed> {
        let connected = timeout(self.connect, self.made()).await;
        let client = connected.map_err(|_| Failed::Lost("no answer".to_owned()))??;
        let patience = self.third.as_millis().max(1);
        // A transaction whose host is cut off must not keep its lock, nor one that waits for it.
        let session = format!(
            "SET idle_in_transaction_session_timeout = {patience};
             SET lock_timeout = {patience};
             SET statement_timeout = 0;
             SELECT set_config('synchronous_commit', 'on', false)
             WHERE current_setting('synchronous_commit') = 'off'"
        );
        client.batch_execute(&session).await?;
        Ok(client)
    }

    /// Where an encrypted one is asked for without anybody to trust, there is none.
    async fn made(&self) -> Result<Client, tokio_postgres::Error> {
        if let Some(tls) = &self.tls {
            let (client, connection) = self.config.connect(tls.clone()).await?;
            serve(connection);
            return Ok(client);
        }
        let (client, connection) = self.config.connect(NoTls).await?;
        serve(connection);
        Ok(client)
    }

    /// Gives the connection up. What was not committed is undone.
    pub fn cut(&mut self) {
        self.client = None;
    }

    /// Attempts at one thing, from now on.
    pub fn attempts(&self) -> Attempts {
        Attempts { third: self.third, end: Instant::now() + self.third * 3 }
    }
}

/// Lets a connection work. Those who use it learn of its end.
fn serve(connection: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static) {
    tokio::spawn(async move { drop(connection.await) });
}

/// Attempts at one thing, until one of them ends it.
pub(super) struct Attempts {
    third: Duration,
    end: Instant,
}

impl Attempts {
    /// How long one of them may take.
    pub const fn patience(&self) -> Duration {
        self.third
    }

    /// What it comes to, if this was the last.
    pub fn ended<T>(
        &mut self,
        ended: Result<Result<T, Failed>, Elapsed>,
    ) -> Option<Result<T, StoreError>> {
        let lost = match ended {
            Ok(Ok(done)) => return Some(Ok(done)),
            Ok(Err(Failed::Refused(why))) => return Some(Err(why)),
            Ok(Err(Failed::Lost(what))) => what,
            Err(_) => "no answer".to_owned(),
        };
        (Instant::now() >= self.end).then_some(Err(StoreError::Unreachable(lost)))
    }

    /// Waits until the next.
    pub async fn rest(&self) {
        tokio::time::sleep(REST).await;
    }
}
