//! `--set key=value`: changes the text of a scenario before it is read.

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};

use super::{Key, keys};

/// The text with the value at a dotted key replaced or added. Tables on the way are made as needed;
/// the position after the last one of an array of tables adds one.
///
/// A text that is not TOML is given back as it is, for its reader to refuse with the place.
///
/// # Errors
/// What is wrong with `set`, as a sentence.
pub(super) fn apply(text: &str, set: &str) -> Result<String, String> {
    let (key, value) = set.split_once('=').ok_or("needs the form key=value")?;
    let path = keys(key.trim());
    if path.iter().any(|key| matches!(key, Key::Name(name) if name.is_empty())) {
        return Err("a part of the key is empty".to_owned());
    }
    let Ok(mut document) = text.parse::<DocumentMut>() else { return Ok(text.to_owned()) };
    put(document.as_item_mut(), &path, value_of(value.trim()))
        .map_err(|why| format!("`{}` {why}", key.trim()))?;
    let text = document.to_string();
    match text.parse::<DocumentMut>() {
        Ok(_) => Ok(text),
        Err(_) => Err(format!("`{}` cannot be added there: write it into the file", key.trim())),
    }
}

/// Changes of a file that are made together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edits {
    removed: Vec<String>,
    set: Vec<(String, String)>,
}

impl Edits {
    pub const fn new() -> Self {
        Self { removed: Vec::new(), set: Vec::new() }
    }

    /// Takes a table or key of the top level out.
    pub fn remove(&mut self, key: &str) {
        self.removed.push(key.to_owned());
    }

    /// Puts a value, as TOML writes it, at a dotted key.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.set.push((key.to_owned(), value.into()));
    }

    /// The text with all changes.
    ///
    /// # Errors
    /// What cannot be changed, as a sentence.
    pub fn apply(&self, text: &str) -> Result<String, String> {
        let mut document = text.parse::<DocumentMut>().map_err(|why| why.to_string())?;
        for key in &self.removed {
            document.remove(key);
        }
        for (key, value) in &self.set {
            put(document.as_item_mut(), &keys(key), value_of(value))
                .map_err(|why| format!("`{key}` {why}"))?;
        }
        Ok(document.to_string())
    }
}

/// A value as TOML writes it; what is none, such as `5m` or `80%`, is a text.
fn value_of(text: &str) -> Value {
    text.parse().unwrap_or_else(|_| Value::from(text))
}

/// Puts `value` at `path`.
///
/// # Errors
/// Why it cannot stand there, as the end of a sentence.
pub(crate) fn put(item: &mut Item, path: &[Key], value: Value) -> Result<(), String> {
    let [key, rest @ ..] = path else { return replace(item, value) };
    match key {
        Key::Name(name) => put(child(item, name, rest)?, rest, value),
        Key::Index(index) => put_into_array(item, *index, rest, value),
    }
}

/// The item named `name`, made if it is not there: an array if a position follows, else a table.
fn child<'a>(item: &'a mut Item, name: &str, rest: &[Key]) -> Result<&'a mut Item, String> {
    let inline = item.is_inline_table();
    let table = item.as_table_like_mut().ok_or("leads through what is not a table")?;
    Ok(table.entry(name).or_insert_with(|| match rest.first() {
        None => Item::None,
        Some(Key::Name(_)) if inline => Item::Value(Value::InlineTable(InlineTable::default())),
        Some(Key::Name(_)) => Item::Table(Table::new()),
        Some(Key::Index(_)) => Item::ArrayOfTables(ArrayOfTables::new()),
    }))
}

fn put_into_array(item: &mut Item, index: usize, rest: &[Key], value: Value) -> Result<(), String> {
    let length = if let Some(tables) = item.as_array_of_tables_mut() {
        let length = tables.len();
        if index == length && !rest.is_empty() {
            tables.push(Table::new());
        }
        length
    } else {
        item.as_array().ok_or("leads through what is not an array")?.len()
    };
    in_array(item, index, |held| put(held, rest, value))
        .unwrap_or_else(|| Err(format!("has no position {index}: there are {length}")))
}

/// Does `act` with an element of an array, of tables or of values, if there is one.
pub(crate) fn in_array<R>(
    item: &mut Item,
    index: usize,
    act: impl FnOnce(&mut Item) -> R,
) -> Option<R> {
    if let Some(tables) = item.as_array_of_tables_mut() {
        let table = tables.get_mut(index)?;
        let mut held = Item::Table(std::mem::take(table));
        let done = act(&mut held);
        *table = held.into_table().unwrap_or_default();
        return Some(done);
    }
    let found = item.as_array_mut()?.get_mut(index)?;
    let mut held = Item::Value(found.clone());
    let done = act(&mut held);
    if let Ok(value) = held.into_value() {
        *found = value;
    }
    Some(done)
}

fn replace(item: &mut Item, value: Value) -> Result<(), String> {
    let empties = value.as_array().is_some_and(toml_edit::Array::is_empty);
    if item.is_array_of_tables() && empties {
        *item = Item::Value(value);
        return Ok(());
    }
    if item.is_table() || item.is_array_of_tables() {
        return Err("is a table: name one of its keys".to_owned());
    }
    let decor = item.as_value().map(|old| old.decor().clone());
    let mut value = value;
    if let Some(decor) = decor {
        *value.decor_mut() = decor;
    }
    *item = Item::Value(value);
    Ok(())
}
