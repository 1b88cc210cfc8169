//! The folder of a run that was written down: how it began, its journal, and what else was told.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use tidegate_core::journal::Entry;
use tidegate_core::record::{Origin, Told};

/// How it began.
pub(crate) const ORIGIN: &str = "run.json";
/// Every input of the controller, and what it made of it.
pub(crate) const JOURNAL: &str = "journal.jsonl";
/// What happened, of a run on real servers.
pub(crate) const FACTS: &str = "facts.jsonl";
/// The figures of its report.
pub(crate) const SUMMARY: &str = "summary.json";

/// A run that was written down.
#[derive(Debug)]
pub(crate) struct Folder {
    pub origin: Origin,
    /// The journal, as it is written.
    pub text: String,
    pub journal: Vec<Entry>,
    pub told: Vec<Told>,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    /// The system does not give it.
    #[error("{} cannot be read", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line makes no sense.
    #[error("{}, line {line}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
}

impl Folder {
    /// Reads it.
    pub fn read(directory: &Path) -> Result<Self, FolderError> {
        let path = directory.join(ORIGIN);
        let origin = serde_json::from_str(&text(&path)?).map_err(|source| {
            let line = source.line();
            FolderError::Line { path, line, source }
        })?;
        let facts = directory.join(FACTS);
        let told = if facts.exists() { lines(&facts)? } else { Vec::new() };
        let path = directory.join(JOURNAL);
        let text = text(&path)?;
        Ok(Self { origin, journal: parsed(&text, &path)?, text, told })
    }
}

/// A file of a JSON value a line.
pub(crate) fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, FolderError> {
    parsed(&text(path)?, path)
}

fn parsed<T: DeserializeOwned>(text: &str, path: &Path) -> Result<Vec<T>, FolderError> {
    let line = |(number, line)| {
        serde_json::from_str(line).map_err(|source| FolderError::Line {
            path: path.to_owned(),
            line: number,
            source,
        })
    };
    (1..).zip(text.lines()).map(line).collect()
}

pub(crate) fn text(path: &Path) -> Result<String, FolderError> {
    fs::read_to_string(path).map_err(|source| FolderError::File { path: path.to_owned(), source })
}
