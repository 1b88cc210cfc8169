//! The files that a scenario names, when its text is to lie elsewhere.

use std::path::{Component, Path, PathBuf};

use toml_edit::{DocumentMut, Item, value};

/// The text with the policy and the defects of the file that it names in `policy_file`, as a part
/// of it, so that both can be drawn and shrunk; the text as it is if it names none.
pub(super) fn with_policy(text: &str, directory: &Path) -> String {
    let taken = || {
        let mut document = text.parse::<DocumentMut>().ok()?;
        let name = document.get("policy_file")?.as_str()?.to_owned();
        let policy = std::fs::read_to_string(directory.join(name)).ok()?;
        let mut policy = policy.parse::<DocumentMut>().ok()?;
        document.remove("policy_file");
        if let Some(table) = policy.remove("policy") {
            document.insert("policy", table);
        }
        let defects: Vec<String> = [document.get("defects"), policy.get("defects")]
            .into_iter()
            .filter_map(|item| item.and_then(Item::as_array))
            .flat_map(|names| names.iter().filter_map(|name| name.as_str().map(str::to_owned)))
            .collect();
        document["defects"] = value(defects.into_iter().collect::<toml_edit::Array>());
        Some(document.to_string())
    };
    taken().unwrap_or_else(|| text.to_owned())
}

/// Names the traces of a scenario that lay in `from` as they are reached from `to`.
pub(super) fn move_files(document: &mut DocumentMut, from: &Path, to: &Path) {
    rename_files(document, |file| relative(&from.join(file), to));
}

/// Names them so that the scenario may lie anywhere on this machine.
pub(super) fn fix_files(document: &mut DocumentMut, from: &Path) {
    rename_files(document, |file| whole(&from.join(file)).iter().collect());
}

fn rename_files(document: &mut DocumentMut, renamed: impl Fn(&str) -> PathBuf) {
    let Some(loads) = document.get_mut("load").and_then(Item::as_array_of_tables_mut) else {
        return;
    };
    for load in loads.iter_mut() {
        if let Some(file) = load.get("file").and_then(Item::as_str) {
            load["file"] = value(renamed(file).display().to_string());
        }
    }
}

/// The way from a folder to a file.
fn relative(file: &Path, folder: &Path) -> PathBuf {
    let (file, folder) = (whole(file), whole(folder));
    let common = file.iter().zip(&folder).take_while(|(one, other)| one == other).count();
    let up = folder.iter().skip(common).map(|_| Component::ParentDir.as_os_str().to_owned());
    up.chain(file.iter().skip(common).cloned()).collect()
}

/// The parts of a path from the root on, without `.` and `..`.
fn whole(path: &Path) -> Vec<std::ffi::OsString> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(parts.pop()),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                parts.push(component.as_os_str().to_owned());
            }
        }
    }
    parts
}
