//! Passwords and tokens: from a file or the environment, and shown nowhere.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

/// Where a secret is read from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// A file that holds nothing else; white space at its end is left out.
    File(PathBuf),
    /// A variable of the environment.
    Env(String),
}

/// Why a secret could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("read the secret in `{}`: {why}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// The variable is not set, or not in UTF-8.
    #[error("read a secret: the environment has no `{0}`")]
    Env(String),
    /// Nothing stands there.
    #[error("read a secret: it is empty")]
    Empty,
}

impl SecretSource {
    /// Reads it.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let text = match self {
            Self::File(path) => std::fs::read_to_string(path)
                .map_err(|why| SecretError::File { path: path.clone(), why })?,
            Self::Env(name) => std::env::var(name).map_err(|_| SecretError::Env(name.clone()))?,
        };
        match text.trim_end() {
            "" => Err(SecretError::Empty),
            text => Ok(Secret(text.to_owned())),
        }
    }
}

/// A password or token.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// What nobody but the other side may see.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_without_its_line_feed_and_not_shown() {
        let path = std::env::temp_dir().join(format!("tidegate-secret-{}", std::process::id()));
        std::fs::write(&path, "hunter2\n").unwrap();
        let secret = SecretSource::File(path.clone()).read().unwrap();
        assert_eq!(secret.expose(), "hunter2");
        assert_eq!(format!("{secret:?}"), "Secret");
        std::fs::write(&path, "\n").unwrap();
        assert!(matches!(SecretSource::File(path.clone()).read(), Err(SecretError::Empty)));
        std::fs::remove_file(&path).unwrap();
        let missing = SecretSource::File(path).read().unwrap_err().to_string();
        assert!(missing.starts_with("read the secret in "), "{missing}");
        let unset = SecretSource::Env("TIDEGATE_NO_SUCH_SECRET".to_owned()).read();
        assert!(matches!(unset, Err(SecretError::Env(_))));
    }
}
