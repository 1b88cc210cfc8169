//! The scenario file: TOML in, a [`Model`] out, or one error with its place and a hint.

mod file;
mod length;
mod load;
mod lower;
mod set;
mod table;
mod units;

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::model::Model;

pub use file::ScenarioFile;
pub(crate) use lower::{expected, expected_requests, moment};
pub(crate) use set::{Edits, in_array, put};

/// What the command line changes in a scenario.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `key=value` pairs; a key is a dotted path, positions in arrays count from 0.
    pub set: Vec<String>,
    /// Another seed.
    pub seed: Option<u64>,
    /// A trace in place of the file's loads.
    pub load: Option<PathBuf>,
}

/// Why a scenario is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", self.place())]
pub struct ScenarioError {
    /// The file, or the option of the command line.
    pub file: String,
    /// The text that [`ScenarioError::span`] points into.
    pub text: String,
    /// The place, in bytes.
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl ScenarioError {
    /// An error about a whole file.
    pub(crate) fn about(file: impl Into<String>, message: impl Into<String>) -> Self {
        let (file, message) = (file.into(), message.into());
        Self { file, text: String::new(), span: None, message, hint: None }
    }

    fn place(&self) -> String {
        self.position().map_or_else(String::new, |(line, column)| format!(":{line}:{column}"))
    }

    /// Line and column, counted from 1.
    pub fn position(&self) -> Option<(usize, usize)> {
        let start = self.span.as_ref()?.start;
        let before = self.text.get(..start)?;
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
        Some((line, column))
    }
}

/// A step of a path into the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Name(String),
    Index(usize),
}

/// What is wrong with the value at a path.
#[derive(Debug)]
pub(crate) struct Fault {
    pub path: Vec<Key>,
    pub message: String,
    pub hint: Option<String>,
    /// Where it lies if not in the scenario itself.
    pub elsewhere: Option<Box<Place>>,
}

/// A place in a file that a scenario names.
#[derive(Debug)]
pub(crate) struct Place {
    pub file: String,
    pub text: String,
    pub span: Option<Range<usize>>,
}

impl Fault {
    /// A fault at a dotted path such as `load.0.users`.
    pub fn at(path: &str, message: impl Into<String>) -> Self {
        Self { path: keys(path), message: message.into(), hint: None, elsewhere: None }
    }

    /// With what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

fn keys(path: &str) -> Vec<Key> {
    let key = |part: &str| part.parse().map_or_else(|_| Key::Name(part.to_owned()), Key::Index);
    path.split('.').map(key).collect()
}

/// Reads a scenario file.
///
/// # Errors
/// If it cannot be read, is not valid, or asks for something impossible.
pub fn read(path: &Path, overrides: &Overrides) -> Result<Model, ScenarioError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|why| ScenarioError::about(&shown, format!("cannot be read: {why}")))?;
    let name =
        path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let directory = path.parent().unwrap_or(Path::new("."));
    parse(&name, &shown, &text, directory, overrides)
}

/// Reads a scenario from its text; `file` names it in errors, traces lie relative to `directory`.
///
/// # Errors
/// As [`read`].
pub fn parse(
    name: &str,
    file: &str,
    text: &str,
    directory: &Path,
    overrides: &Overrides,
) -> Result<Model, ScenarioError> {
    let mut text = text.to_owned();
    for set in &overrides.set {
        text = set::apply(&text, set)
            .map_err(|message| ScenarioError::about(format!("--set {set}"), message))?;
    }
    let parsed: ScenarioFile =
        toml::from_str(&text).map_err(|why| syntax_error(file, &text, &why))?;
    lower::lower(name, &parsed, directory, overrides).map_err(|fault| {
        let Fault { path, message, hint, elsewhere } = fault;
        let (file, text, span) = match elsewhere {
            Some(place) => (place.file, place.text, place.span),
            None => (file.to_owned(), text.clone(), span_of(&text, &path)),
        };
        ScenarioError { file, text, span, message, hint }
    })
}

pub(crate) fn syntax_error(file: &str, text: &str, why: &toml::de::Error) -> ScenarioError {
    let message = why.message().to_owned();
    ScenarioError {
        file: file.to_owned(),
        text: text.to_owned(),
        span: why.span(),
        hint: nearest_expected(&message).or_else(|| whole_number(&message)),
        message,
    }
}

/// Of an "unknown field `x`, expected one of `a`, `b`": the nearest of those expected.
fn nearest_expected(message: &str) -> Option<String> {
    let rest =
        message.strip_prefix("unknown field `").or(message.strip_prefix("unknown variant `"))?;
    let (unknown, expected) = rest.split_once('`')?;
    let names = expected.split('`').skip(1).step_by(2);
    did_you_mean(unknown, names)
}

/// What to write where the program's own word for a number stands in the message.
fn whole_number(message: &str) -> Option<String> {
    let wanted = ["expected u8", "expected u16", "expected u32", "expected u64"];
    let number = wanted.iter().any(|wanted| message.contains(wanted));
    number.then(|| "write a whole number, 0 or more".to_owned())
}

/// "did you mean …", if one of `names` is near to `unknown`.
pub(crate) fn did_you_mean<'a>(
    unknown: &str,
    names: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let scored = names.map(|name| (strsim::jaro_winkler(unknown, name), name));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.7)?;
    Some(format!("did you mean `{}`?", best.1))
}

/// The place of a path, or of its nearest ancestor that the text has.
pub(crate) fn span_of(text: &str, path: &[Key]) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    let mut span = None;
    let mut value: Option<&DeValue<'_>> = None;
    for key in path {
        let next = match (value, key) {
            (None, Key::Name(name)) => table.get_ref().get(name.as_str()),
            (Some(value), Key::Name(name)) => value.get(name.as_str()),
            (Some(value), Key::Index(index)) => value.get(*index),
            (None, Key::Index(_)) => None,
        };
        let Some(next) = next else { break };
        span = Some(next.span());
        value = Some(next.get_ref());
    }
    span
}

/// The JSON Schema of the scenario file.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(ScenarioFile)
}

#[cfg(test)]
mod tests;
