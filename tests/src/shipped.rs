//! What ships in `scenarios/`, and what a run of it violates.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "what is found is to be seen where it stands"
)]

use std::fs;
use std::path::{Path, PathBuf};

use tidegate_core::record::Summary;
use tidegate_sim::model::Model;

/// Where the shipped scenarios lie.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

/// The scenario files of a folder below that, itself if it is empty, in the order of their names.
pub fn scenarios(below: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder().join(below)).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|one| one == "toml")).collect();
    paths.sort();
    paths
}

/// What comes of a run.
pub fn summary(model: &Model) -> Summary {
    tidegate_sim::run::run(model, &mut std::io::sink(), &mut |_| {}).unwrap().record.summary
}

/// The properties that were violated.
pub fn violated(summary: &Summary) -> Vec<&str> {
    let violated = summary.properties.iter().filter(|one| !one.holds);
    violated.map(|one| one.name.as_str()).collect()
}
