//! Where a store is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_core::Span;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::{PostgresStore, SqliteStore, Store, StoreError};
use crate::adapters::Secret;

/// Where a store is.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a file of this machine.
    File(PathBuf),
    /// In a database.
    Database(Box<Database>),
}

/// A database of `PostgreSQL`, and how hosts share it.
#[derive(Clone)]
pub struct Database {
    url: String,
    pub(super) config: Config,
    /// How long a host may act without having renewed its right to.
    pub lease: Span,
}

/// Why an address is none of a database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It cannot be read.
    #[error("this is no address of a database: {0}")]
    Unread(String),
    /// Addresses are seen by others.
    #[error("the address of a database holds no password: give it as `store.password`")]
    Password,
    /// It wants what there is not.
    #[error(
        "connections to a database are not encrypted here, and `sslmode` requires it: \
         reach it by a Unix socket or through a tunnel"
    )]
    Tls,
    /// It names nobody.
    #[error("the address of a database names its host, its user and the database")]
    Incomplete,
}

impl Place {
    /// Opens the store, or makes it. Lines older than `keep` are removed once a checkpoint is past
    /// them; none are if it is absent.
    ///
    /// # Errors
    /// If it cannot be opened, or a newer program wrote it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn open(&self, keep: Option<Span>) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::File(path) => Arc::new(SqliteStore::open(path, keep).await?),
            Self::Database(database) => Arc::new(PostgresStore::open(database, keep).await?),
        })
    }

    /// Opens a store that is there, to be read.
    ///
    /// # Errors
    /// As [`Self::open`], and if there is none.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn read(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::File(path) => Arc::new(SqliteStore::read(path).await?),
            Self::Database(database) => Arc::new(PostgresStore::read(database).await?),
        })
    }
}

impl Place {
    /// Opens a store that is there and changes nothing in it; nothing if there is none yet.
    ///
    /// # Errors
    /// As [`Self::read`], and if an older program wrote it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn look(&self) -> Result<Option<Arc<dyn Store>>, StoreError> {
        match self {
            Self::File(path) if !path.exists() => Ok(None),
            Self::File(path) => Ok(Some(Arc::new(SqliteStore::look(path).await?))),
            Self::Database(database) => {
                let found = PostgresStore::look(database).await?;
                Ok(found.map(|store| Arc::new(store) as Arc<dyn Store>))
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Database(database) => database.url.fmt(f),
        }
    }
}

impl Database {
    /// How long the right to act lasts unless it is renewed, if nothing else is said.
    pub const LEASE: Span = Span::from_secs(15);

    /// The database at an address such as `postgres://user@host/database`, if `path` is one.
    pub fn at(path: &Path) -> Option<&str> {
        let text = path.to_str()?;
        let is_one = text.starts_with("postgres://") || text.starts_with("postgresql://");
        is_one.then_some(text)
    }

    /// The database at this address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        let unread = |why: tokio_postgres::Error| AddressError::Unread(reason(&why));
        if Self::at(Path::new(url)).is_none() {
            let what = "it is to begin with `postgres://`".to_owned();
            return Err(AddressError::Unread(what));
        }
        let config: Config = url.parse().map_err(unread)?;
        if config.get_password().is_some() {
            return Err(AddressError::Password);
        }
        if config.get_ssl_mode() == SslMode::Require {
            return Err(AddressError::Tls);
        }
        let has_host = !config.get_hosts().is_empty() || !config.get_hostaddrs().is_empty();
        if !has_host || config.get_user().is_none() || config.get_dbname().is_none() {
            return Err(AddressError::Incomplete);
        }
        Ok(Self { url: url.to_owned(), config, lease: Self::LEASE })
    }

    /// The same, with the password of its user.
    #[must_use]
    pub fn with_password(mut self, password: &Secret) -> Self {
        self.config.password(password.expose());
        self
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("url", &self.url)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

/// An error of the client with its causes, without which it says little.
pub(super) fn reason(why: &tokio_postgres::Error) -> String {
    if let Some(said) = why.as_db_error() {
        return said.message().to_owned();
    }
    let causes = std::iter::successors(std::error::Error::source(why), |cause| cause.source());
    causes.fold(why.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_or_refused_and_shows_no_password() {
        for good in [
            "postgres://tidegate@db/state",
            "postgresql://tidegate@%2Frun%2Fpostgresql/state",
            "postgres://tidegate@/state?host=/run/postgresql&port=5433",
        ] {
            let password = Secret::from("hunter2".to_owned());
            let database = Database::parse(good).unwrap().with_password(&password);
            assert_eq!(Place::Database(Box::new(database.clone())).to_string(), good);
            assert!(!format!("{database:?}").contains("hunter2"));
        }
        for (bad, why) in [
            ("postgres://tidegate:hunter2@db/state", AddressError::Password),
            ("postgres://tidegate@db/state?sslmode=require", AddressError::Tls),
            ("postgres://tidegate@/state", AddressError::Incomplete),
            ("postgres://db/state", AddressError::Incomplete),
            ("postgres://tidegate@db", AddressError::Incomplete),
        ] {
            assert_eq!(Database::parse(bad).map(|_| ()), Err(why), "{bad}");
        }
        for unread in ["tidegate.db", "postgres://a@b:c/d", "postgres://a@b/c?d=e"] {
            let refused = Database::parse(unread).unwrap_err();
            assert!(matches!(refused, AddressError::Unread(_)), "{refused}");
        }
    }
}
