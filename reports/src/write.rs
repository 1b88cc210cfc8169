//! All files of a run, but for its journal, which is written while it runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tidegate_core::record::{GroupRow, RunRecord};

use crate::{
    HtmlError, PlotError, TableError, groups_csv, html, ledger_csv, plots, summary_json,
    timeline_csv,
};

/// Why the files of a run could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The system refused a file or the directory.
    #[error("{} could not be written", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A table could not be made.
    #[error("{} could not be made", path.display())]
    Table {
        /// Which.
        path: PathBuf,
        /// Why.
        source: TableError,
    },
    /// A plot could not be drawn.
    #[error("the plots for {} could not be drawn", directory.display())]
    Plot {
        /// Where they belong.
        directory: PathBuf,
        /// Why.
        source: PlotError,
    },
    /// The page could not be made.
    #[error("{} could not be made", path.display())]
    Html {
        /// Which.
        path: PathBuf,
        /// Why.
        source: HtmlError,
    },
}

/// Writes `summary.json`, `timeline.csv`, `ledger.csv`, the plots as SVG and `index.html` into
/// `directory`, which is made if it is not there.
pub fn write_all(record: &RunRecord, directory: &Path) -> Result<(), WriteError> {
    write_most(record, directory)?;
    table(directory.join("ledger.csv"), |bytes| ledger_csv(record, bytes))
}

/// The same for a fleet, whose bill is drawn up by group: `groups.csv` in place of `ledger.csv`.
pub fn write_fleet(
    record: &RunRecord,
    groups: &[GroupRow],
    directory: &Path,
) -> Result<(), WriteError> {
    write_most(record, directory)?;
    table(directory.join("groups.csv"), |bytes| groups_csv(groups, bytes))
}

fn write_most(record: &RunRecord, directory: &Path) -> Result<(), WriteError> {
    fs::create_dir_all(directory)
        .map_err(|source| WriteError::File { path: directory.to_owned(), source })?;
    let path = |name: &str| directory.join(name);
    write(path("summary.json"), summary_json(&record.summary).as_bytes())?;
    table(path("timeline.csv"), |bytes| timeline_csv(record, bytes))?;
    let drawn = plots(record)
        .map_err(|source| WriteError::Plot { directory: directory.to_owned(), source })?;
    for (name, svg) in &drawn {
        write(path(&format!("{name}.svg")), svg.as_bytes())?;
    }
    let index = path("index.html");
    let mut page = fs::File::create(&index)
        .map(io::BufWriter::new)
        .map_err(|source| WriteError::File { path: index.clone(), source })?;
    html(record, &drawn, &mut page).map_err(|source| WriteError::Html { path: index, source })
}

fn table(
    path: PathBuf,
    make: impl FnOnce(&mut Vec<u8>) -> Result<(), TableError>,
) -> Result<(), WriteError> {
    let mut bytes = Vec::new();
    match make(&mut bytes) {
        Ok(()) => write(path, &bytes),
        Err(source) => Err(WriteError::Table { path, source }),
    }
}

fn write(path: PathBuf, bytes: &[u8]) -> Result<(), WriteError> {
    fs::write(&path, bytes).map_err(|source| WriteError::File { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn all_files_are_written_and_the_same_twice() {
        let root = std::env::temp_dir().join(format!("tidegate-reports-{}", std::process::id()));
        let (first, second) = (root.join("a"), root.join("b"));
        write_all(&fixture::record(), &first).expect("writes");
        write_all(&fixture::record(), &second).expect("writes");
        for name in [
            "summary.json",
            "timeline.csv",
            "ledger.csv",
            "load.svg",
            "utilization.svg",
            "latency.svg",
            "servers.svg",
            "cost.svg",
            "index.html",
        ] {
            let bytes = fs::read(first.join(name)).expect(name);
            assert!(!bytes.is_empty(), "{name}");
            assert_eq!(bytes, fs::read(second.join(name)).expect(name), "{name}");
        }
        fs::remove_dir_all(root).expect("removes");
    }

    #[test]
    fn an_error_names_the_path() {
        let error = write_all(&fixture::record(), Path::new("/dev/null/out")).expect_err("refused");
        assert!(error.to_string().contains("/dev/null/out"));
    }
}
