//! Where the state is kept, as a configuration says it.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use tidegate_core::Span;

use super::{ConfigError, place};
use crate::adapters::{SecretError, SecretSource, TlsError};
use crate::store::{AddressError, Database, Place};

/// Below it a busy machine would lose its lease now and then.
const SHORTEST_LEASE: Span = Span::from_secs(1);

/// Where the state is kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreFile {
    /// A file. Default `tidegate.db`, without a `url`.
    pub path: Option<PathBuf>,
    /// A database, such as `postgres://tidegate@db/tidegate`.
    pub url: Option<String>,
    /// The password of its user.
    pub password: Option<SecretSource>,
    /// A file of certificates in PEM that are trusted besides the system's, for a `url` that asks
    /// for encrypted connections.
    pub ca: Option<PathBuf>,
    /// How long a host may act without having renewed its right to, where several hosts share a
    /// database. Default 15 seconds.
    pub lease: Span,
    /// How long lines of the journal are kept; longer where they are still needed. Default 30 days.
    pub keep: Span,
}

impl Default for StoreFile {
    fn default() -> Self {
        let keep = Span::from_hours(24 * 30);
        Self { path: None, url: None, password: None, ca: None, lease: Database::LEASE, keep }
    }
}

/// Why the place of the store makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The address of the database.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The password.
    #[error("failed to {0}")]
    Secret(#[from] SecretError),
    /// The certificates.
    #[error("failed to {0}")]
    Tls(#[from] TlsError),
    /// Certificates are named, and nothing is encrypted.
    #[error("`store.ca` is for encrypted connections: add `sslmode=verify-full` to the address")]
    Plain,
}

impl StoreFile {
    /// Where the state is kept; at `given`, a file or the address of a database, if it is there.
    ///
    /// # Errors
    /// An address that is none, or a password or certificates that cannot be read.
    pub fn place(&self, given: Option<&Path>) -> Result<Place, PlaceError> {
        let url = match given {
            Some(given) => Database::at(given),
            None => self.url.as_deref(),
        };
        let Some(url) = url else {
            let path = given.or(self.path.as_deref()).unwrap_or(Path::new("tidegate.db"));
            return Ok(Place::File(path.to_owned()));
        };
        let mut database = Database::parse(url)?;
        if self.ca.is_some() && !database.is_encrypted() {
            return Err(PlaceError::Plain);
        }
        database = database.trusting(self.ca.as_deref())?;
        database.lease = self.lease;
        if let Some(password) = &self.password {
            database = database.with_password(&password.read()?);
        }
        Ok(Place::Database(Box::new(database)))
    }

    pub(super) fn check(&self, text: &str) -> Result<(), ConfigError> {
        let refused = |field: &'static str, message: String, hint| {
            let span = place::of(text, &["store".into(), field.into()]);
            Err(ConfigError { span, message, hint })
        };
        let database = self.url.as_deref().map(Database::parse).transpose();
        let is_plain = match &database {
            Ok(database) => database.as_ref().is_some_and(|one| !one.is_encrypted()),
            Err(why) => return refused("url", why.to_string(), None),
        };
        if self.ca.is_some() && is_plain {
            let message = "`ca` is for encrypted connections to a database".to_owned();
            return refused(
                "ca",
                message,
                Some("add `sslmode=verify-full` to `url`, or leave `ca`"),
            );
        }
        if self.url.is_some() && self.path.is_some() {
            let message = "the state is kept in a file or in a database".to_owned();
            return refused("path", message, Some("give `path` or `url`, not both"));
        }
        if self.lease < SHORTEST_LEASE {
            let message = format!("a lease lasts {SHORTEST_LEASE} or longer");
            return refused("lease", message, None);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const GROUP: &str = "[[group]]\nname = \"a\"\nports = { kind = \"fake\" }\n";

    fn config(store: &str) -> Result<Config, (String, String)> {
        let text = format!("[store]\n{store}\n{GROUP}");
        Config::parse(&text).map_err(|ConfigError { span, message, .. }| {
            (message, text[span.unwrap_or(0..0)].to_owned())
        })
    }

    #[test]
    fn a_place_is_that_of_the_command_line_or_of_the_file() {
        let shown = |store: &str, given: Option<&str>| {
            let place = config(store).unwrap().store.place(given.map(Path::new)).unwrap();
            place.to_string()
        };
        let database = "postgres://a@b/c";
        assert_eq!(shown("", None), "tidegate.db");
        assert_eq!(shown("path = \"x.db\"", None), "x.db");
        assert_eq!(shown("path = \"x.db\"", Some("y.db")), "y.db");
        assert_eq!(shown(&format!("url = \"{database}\""), None), database);
        assert_eq!(shown(&format!("url = \"{database}\""), Some("y.db")), "y.db");
        assert_eq!(shown("path = \"x.db\"", Some(database)), database);
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_its_place() {
        for (store, what, at) in [
            ("url = \"postgres://a:b@c/d\"", "store.password", "\"postgres://a:b@c/d\""),
            ("url = \"postgres://a@b/c\"\npath = \"x.db\"", "in a file or", "\"x.db\""),
            ("lease = \"500ms\"", "lasts 1s or longer", "\"500ms\""),
            (
                "url = \"postgres://a@b/c?sslmode=prefer\"",
                "`prefer` is not supported",
                "\"postgres",
            ),
            ("ca = \"x\"\nurl = \"postgres://a@b/c\"", "for encrypted connections", "\"x\""),
        ] {
            let (message, place) = config(store).unwrap_err();
            assert!(message.contains(what), "{message}");
            assert!(place.starts_with(at), "{place}");
        }
        let unset = "url = \"postgres://a@b/c\"\npassword = { env = \"TIDEGATE_NO_SUCH\" }";
        let refused = config(unset).unwrap().store.place(None).unwrap_err();
        assert!(refused.to_string().starts_with("failed to read a secret"), "{refused}");
    }

    #[test]
    fn certificates_are_read_before_anybody_is_asked() {
        let named = "url = \"postgres://a@b/c?sslmode=verify-full\"\nca = \"/nowhere/ca.pem\"";
        let store = config(named).unwrap().store;
        let refused = store.place(None).unwrap_err().to_string();
        assert!(refused.starts_with("failed to read the certificates in `/nowhere"), "{refused}");
        let plain = store.place(Some(Path::new("postgres://a@b/c"))).unwrap_err();
        assert!(matches!(plain, PlaceError::Plain), "{plain}");
        assert!(matches!(store.place(Some(Path::new("x.db"))), Ok(Place::File(_))));
    }
}
