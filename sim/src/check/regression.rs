//! A shrunk case as a file to keep: what it shows, where it comes from, how to run it.

use std::path::Path;

use toml_edit::{DocumentMut, value};

use super::paths::move_files;
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
