//! A store in one `SQLite` file: the embedded default. Whoever starts on it takes over.
//!
//! The file is touched on threads that may block, and nowhere else.

mod tables;

use std::path::Path;

use tidegate_core::Span;

use super::StoreError;
use super::queue::{Served, gone};
use tables::Tables;

/// The store in one file.
pub type SqliteStore = Served<Tables>;

impl SqliteStore {
    /// Opens the file, or makes it and the folders that it lies in. Lines older than `keep` are
    /// removed once a checkpoint is past them; none are if it is absent.
    ///
    /// # Errors
    /// If it cannot be opened, is no store, or a newer program wrote it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn open(path: &Path, keep: Option<Span>) -> Result<Self, StoreError> {
        let path = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || Tables::open(&path, keep)).await;
        Ok(Self::new(opened.map_err(gone)??, None))
    }

    /// Opens a file that is there and changes nothing in it, not even its format.
    ///
    /// # Errors
    /// As [`Self::open`], and if an older program wrote it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn look(path: &Path) -> Result<Self, StoreError> {
        let path = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || Tables::look(&path)).await;
        Ok(Self::new(opened.map_err(gone)??, None))
    }

    /// Opens a file that is there, to be read.
    ///
    /// # Errors
    /// As [`Self::open`], and if there is none.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn read(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Broken("there is no such file".to_owned()));
        }
        Self::open(path, None).await
    }
}
