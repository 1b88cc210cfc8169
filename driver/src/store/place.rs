//! Where a store is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_core::Span;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{PostgresStore, SqliteStore, Store, StoreError};
use crate::adapters::Secret;
use crate::tls::{self, TlsError};

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
    /// How it is reached if connections are encrypted.
    pub(super) tls: Option<MakeRustlsConnect>,
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
    /// It asks for an encryption that is none, or not always.
    #[error(
        "`sslmode` is `verify-full` or `require`, which both check the server's certificate and \
         its name, or `disable`: `{0}` is not supported"
    )]
    Mode(String),
    /// There is no name that a certificate could be for.
    #[error("an encrypted connection is to a `host` by its name or address, and to no socket")]
    Nameless,
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
        let (rest, mode) = without_mode(url)?;
        let mut config: Config = rest.parse().map_err(unread)?;
        config.ssl_mode(mode);
        if config.get_password().is_some() {
            return Err(AddressError::Password);
        }
        let has_host = !config.get_hosts().is_empty() || !config.get_hostaddrs().is_empty();
        if !has_host || config.get_user().is_none() || config.get_dbname().is_none() {
            return Err(AddressError::Incomplete);
        }
        let hosts = config.get_hosts();
        let has_name = !hosts.is_empty() && hosts.iter().all(|host| matches!(host, Host::Tcp(_)));
        if mode == SslMode::Require && !has_name {
            return Err(AddressError::Nameless);
        }
        Ok(Self { url: url.to_owned(), config, tls: None, lease: Self::LEASE })
    }

    /// Whether connections to it are encrypted, by its address.
    pub fn is_encrypted(&self) -> bool {
        self.config.get_ssl_mode() == SslMode::Require
    }

    /// The same, with whom encrypted connections trust: the system's certificates, and those in the
    /// file `ca`. Without this no encrypted connection is made.
    ///
    /// # Errors
    /// If the certificates cannot be read.
    pub fn trusting(mut self, ca: Option<&Path>) -> Result<Self, TlsError> {
        if self.is_encrypted() {
            self.tls = Some(MakeRustlsConnect::new(tls::trusting(ca)?));
        }
        Ok(self)
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

/// An address without its `sslmode`, which the client knows fewer of, and what that comes to.
fn without_mode(url: &str) -> Result<(String, SslMode), AddressError> {
    let mut mode = SslMode::Disable;
    let Some((place, query)) = url.split_once('?') else { return Ok((url.to_owned(), mode)) };
    let mut others = Vec::new();
    for pair in query.split('&') {
        let read = form_urlencoded::parse(pair.as_bytes()).next();
        let Some((_, given)) = read.filter(|(key, _)| key == "sslmode") else {
            others.push(pair);
            continue;
        };
        mode = match &*given {
            "verify-full" | "require" => SslMode::Require,
            "disable" => SslMode::Disable,
            other => return Err(AddressError::Mode(other.to_owned())),
        };
    }
    let mark = if others.is_empty() { "" } else { "?" };
    Ok((format!("{place}{mark}{}", others.join("&")), mode))
}

/// An error of the client with its causes, without which it says little.
pub(super) fn reason(why: &tokio_postgres::Error) -> String {
    if let Some(words) = tls::explained(why) {
        return words;
    }
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
            "postgres://tidegate@db/state?sslmode=verify-full",
        ] {
            let password = Secret::from("hunter2".to_owned());
            let database = Database::parse(good).unwrap().with_password(&password);
            assert_eq!(Place::Database(Box::new(database.clone())).to_string(), good);
            assert!(!format!("{database:?}").contains("hunter2"));
        }
        for (bad, why) in [
            ("postgres://tidegate:hunter2@db/state", AddressError::Password),
            ("postgres://tidegate@%2Frun/state?sslmode=require", AddressError::Nameless),
            ("postgres://a@/b?hostaddr=10.0.0.1&sslmode=require", AddressError::Nameless),
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

    #[test]
    fn an_address_says_whether_connections_are_encrypted_and_halves_are_refused() {
        let of = |query: &str| Database::parse(&format!("postgres://a@db/b{query}"));
        for (query, encrypted) in [
            ("", false),
            ("?sslmode=disable", false),
            ("?sslmode=require", true),
            ("?sslmode=verify-full", true),
            ("?connect_timeout=3&sslmode=verify%2Dfull&application_name=c", true),
            ("?sslmode=verify-full&sslmode=disable", false),
        ] {
            assert_eq!(of(query).unwrap().is_encrypted(), encrypted, "{query}");
        }
        let other = of("?sslmode=require&connect_timeout=3").unwrap().config;
        assert_eq!(other.get_connect_timeout(), Some(&std::time::Duration::from_secs(3)));
        for mode in ["allow", "prefer", "verify-ca", "on", ""] {
            let refused = of(&format!("?sslmode={mode}")).map(drop);
            assert_eq!(refused, Err(AddressError::Mode(mode.to_owned())));
        }
    }
}
