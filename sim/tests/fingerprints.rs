//! The fingerprints of the shipped scenarios are known, and the same however the program was built.
//!
//! A change of the world or of a scenario moves them: `UPDATE_FINGERPRINTS=1 cargo nextest run -p
//! tidegate-sim --test fingerprints` writes them anew, and their file shows what moved.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use tidegate_core::record::Fidelity;
use tidegate_sim::model::Model;
use tidegate_sim::scenario::{Overrides, read};

/// Those of which the file also has the fingerprint in flows.
const IN_FLOWS: [&str; 2] = ["exam-day", "flash-sale"];

fn fingerprint(model: &Model) -> String {
    let record = match &model.fleet {
        Some(fleet) => {
            let jobs = NonZeroUsize::new(2).unwrap();
            tidegate_sim::fleet::run(model, fleet, jobs, &|_| {}).unwrap().record
        }
        None => tidegate_sim::run::run(model, &mut std::io::sink(), &mut |_| {}).unwrap().record,
    };
    record.summary.fingerprint
}

/// The scenario files of a folder, in the order of their names.
fn scenarios(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|it| it == "toml")).collect();
    paths.sort();
    paths
}

#[test]
fn the_fingerprints_of_the_shipped_scenarios_are_known() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = String::new();
    for file in scenarios(&here.join("../scenarios")) {
        let model = read(&file, &Overrides::default()).unwrap();
        writeln!(found, "{} {}", model.name, fingerprint(&model)).unwrap();
        if IN_FLOWS.contains(&model.name.as_str()) {
            let flows = Model { fidelity: Fidelity::Fluid, ..model };
            writeln!(found, "{} fluid {}", flows.name, fingerprint(&flows)).unwrap();
        }
    }
    let known = here.join("tests/fingerprints.txt");
    if std::env::var_os("UPDATE_FINGERPRINTS").is_some() {
        std::fs::write(&known, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(known).unwrap());
}
