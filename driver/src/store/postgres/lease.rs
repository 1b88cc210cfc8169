//! The lease: a row that says who may act and until when, by the database's clock. It has a
//! connection of its own, so that no write makes its renewal wait.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};

use super::link::{Failed, Link};
use super::third;
use crate::clock::{Clock, SystemClock};
use crate::store::lease::{Tenure, present};
use crate::store::{Database, Lease, StoreError};

/// The part of its lease, from when it asked for it, after which a host ceases to act.
const ACTS: f64 = 0.9;

/// What a host calls itself: its machine and process, and when it began, for processes of one
/// number that follow one another.
pub(super) fn holder() -> String {
    let machine = rustix::system::uname();
    let began = SystemClock.now().as_nanos();
    let process = std::process::id();
    format!("{}/{process}/{began:x}", machine.nodename().to_string_lossy())
}

/// Somebody else has it.
pub(super) fn held(by: String, left: f64) -> StoreError {
    let left = Duration::try_from_secs_f64(left).unwrap_or_default();
    StoreError::Held { by, left }
}

/// A host's part in the lease of a database.
pub(super) struct DatabaseLease {
    link: Mutex<Link>,
    length: Duration,
    holder: Arc<str>,
    tenure: Arc<Tenure>,
}

impl DatabaseLease {
    pub fn new(database: &Database, holder: Arc<str>, tenure: Arc<Tenure>) -> Self {
        let (link, length) = (Mutex::new(Link::new(database)), third(database) * 3);
        Self { link, length, holder, tenure }
    }

    /// Asks once, for no longer than there is until it is asked again.
    async fn ask(&self, take: bool) -> Result<(), Failed> {
        let mut link = self.link.lock().await;
        let ask = async {
            let client = link.client().await?;
            let holder: (&(dyn ToSql + Sync), _) = (&&*self.holder, Type::TEXT);
            if !take {
                let back = "UPDATE tidegate.lease SET until = '-infinity' WHERE holder = $1";
                client.execute_typed(back, &[holder]).await?;
                return Ok(());
            }
            let milliseconds = i64::try_from(self.length.as_millis())?;
            let take = "UPDATE tidegate.lease
                        SET holder = $1, until = clock_timestamp() + $2 * interval '1 millisecond'
                        WHERE holder = $1 OR until <= clock_timestamp()";
            let given = [holder, (&milliseconds as _, Type::INT8)];
            if client.execute_typed(take, &given).await? == 1 {
                return Ok(());
            }
            let read = "SELECT holder,
                        greatest(extract(epoch FROM until - clock_timestamp()), 0)::float8
                        FROM tidegate.lease";
            let row = client.query_typed_one(read, &[]).await?;
            Err(held(row.try_get(0)?, row.try_get(1)?).into())
        };
        let ended = timeout(self.every(), ask).await;
        let ended = ended.unwrap_or_else(|_| Err(Failed::Lost("no answer".to_owned())));
        if matches!(ended, Err(Failed::Lost(_))) {
            link.cut();
        }
        ended
    }
}

#[async_trait]
impl Lease for DatabaseLease {
    fn every(&self) -> Duration {
        self.length / 3
    }

    async fn take(&self) -> Result<(), StoreError> {
        let asked = present();
        let taken = self.ask(true).await;
        match &taken {
            Ok(()) => self.tenure.extend(asked + self.length.mul_f64(ACTS)),
            Err(Failed::Refused(_)) => self.tenure.end(),
            Err(Failed::Lost(_)) => {}
        }
        Ok(taken?)
    }

    async fn give_back(&self) -> Result<(), StoreError> {
        self.tenure.end();
        Ok(self.ask(false).await?)
    }

    fn allows(&self, term: u32) -> bool {
        self.tenure.allows(term)
    }

    async fn ended(&self) {
        self.tenure.ended().await;
    }
}
