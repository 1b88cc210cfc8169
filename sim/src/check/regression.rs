//! A shrunk case as a file to keep: what it shows, where it comes from, how to run it.

use std::path::{Component, Path, PathBuf};

use toml_edit::{DocumentMut, Item, value};

use super::shrink::Shrunk;

/// The text of the file that is to lie in `directory`; `found_by` is the command that found it.
pub fn regression(shrunk: &Shrunk, directory: &Path, found_by: &str) -> String {
    let mut document = shrunk.case.text.parse::<DocumentMut>().unwrap_or_default();
    move_files(&mut document, &shrunk.case.directory, directory);
    document["title"] = value(format!("{} is violated", shrunk.failure.property));
    let body = document.to_string();
    let body: Vec<&str> = body.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let body = body.join("\n");
    let body = body.trim().replace("\n\n\n", "\n\n");
    let what = wrapped(&format!("{}: {}", shrunk.failure.property, shrunk.failure.what));
    let found = wrapped(&format!("Found by `{found_by}`, and shrunk in {} runs.", shrunk.trials));
    format!("{what}#\n{found}{body}\n")
}

/// Comment lines of at most a hundred columns.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > 100 {
            lines.push_str(&line);
            lines.push('\n');
            "#".clone_into(&mut line);
        }
        line.push(' ');
        line.push_str(word);
    }
    lines.push_str(&line);
    lines.push('\n');
    lines
}

/// Traces are named relative to the file.
fn move_files(document: &mut DocumentMut, from: &Path, to: &Path) {
    let Some(loads) = document.get_mut("load").and_then(Item::as_array_of_tables_mut) else {
        return;
    };
    for load in loads.iter_mut() {
        if let Some(file) = load.get("file").and_then(Item::as_str) {
            let moved = relative(&from.join(file), to);
            load["file"] = value(moved.display().to_string());
        }
    }
}

/// The way from a folder to a file.
fn relative(file: &Path, folder: &Path) -> PathBuf {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (file, folder) = (plain(&whole(file)), plain(&whole(folder)));
    let common = file.iter().zip(&folder).take_while(|(one, other)| one == other).count();
    let up = folder.iter().skip(common).map(|_| Component::ParentDir.as_os_str().to_owned());
    up.chain(file.iter().skip(common).cloned()).collect()
}

/// The parts of a path, without `.` and `..`.
fn plain(path: &Path) -> Vec<std::ffi::OsString> {
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
