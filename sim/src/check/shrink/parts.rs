//! The parts of a TOML file: where they are, how to do without one, what is simpler than one.

use tidegate_core::Span;
use toml_edit::{DocumentMut, Item, Value};

use crate::scenario::{Key, in_array};

/// Where a part is.
pub type Path = Vec<Key>;

/// All parts, small ones first, so that the last one is the largest.
pub fn parts(document: &DocumentMut) -> Vec<Path> {
    let mut found = Vec::new();
    collect(document.as_item(), &mut Vec::new(), &mut found);
    found.sort_by_key(|(path, size): &(Path, usize)| (*size, std::cmp::Reverse(path.len())));
    found.into_iter().map(|(path, _)| path).collect()
}

/// Notes each part below `item`; how many values it holds.
fn collect(item: &Item, path: &mut Path, found: &mut Vec<(Path, usize)>) -> usize {
    let mut below = |key: Key, item: &Item, found: &mut Vec<(Path, usize)>| {
        path.push(key);
        let size = collect(item, path, found);
        found.push((path.clone(), size));
        path.pop();
        size
    };
    if let Some(table) = item.as_table_like() {
        return table
            .iter()
            .map(|(name, item)| below(Key::Name(name.to_owned()), item, found))
            .sum::<usize>()
            .max(1);
    }
    if let Some(tables) = item.as_array_of_tables() {
        let tables = tables.iter().enumerate();
        return tables
            .map(|(index, table)| below(Key::Index(index), &Item::Table(table.clone()), found))
            .sum();
    }
    if let Some(array) = item.as_array() {
        let values = array.iter().enumerate();
        return values
            .map(|(index, value)| below(Key::Index(index), &Item::Value(value.clone()), found))
            .sum::<usize>()
            .max(1);
    }
    1
}

/// Takes the part at `path` out; whether it was there.
pub fn remove(item: &mut Item, path: &[Key]) -> bool {
    let [key, rest @ ..] = path else { return false };
    match key {
        Key::Name(name) => {
            let Some(table) = item.as_table_like_mut() else { return false };
            if rest.is_empty() {
                return table.remove(name).is_some();
            }
            table.get_mut(name).is_some_and(|item| remove(item, rest))
        }
        Key::Index(index) if rest.is_empty() => remove_element(item, *index),
        Key::Index(index) => in_array(item, *index, |held| remove(held, rest)).unwrap_or(false),
    }
}

fn remove_element(item: &mut Item, index: usize) -> bool {
    if let Some(tables) = item.as_array_of_tables_mut().filter(|tables| index < tables.len()) {
        tables.remove(index);
        return true;
    }
    let array = item.as_array_mut().filter(|array| index < array.len());
    array.map(|array| array.remove(index)).is_some()
}

/// Simpler values for the one at `path`, the simplest first: a mean for a distribution, a rounder
/// length of time, a rounder number.
pub fn simpler(document: &DocumentMut, path: &[Key]) -> Vec<Value> {
    let mut item = Some(document.as_item().clone());
    for key in path {
        item = item.and_then(|item| match key {
            Key::Name(name) => item.get(name.as_str()).cloned(),
            Key::Index(index) => item
                .get(*index)
                .cloned()
                .or_else(|| item.as_array()?.get(*index).cloned().map(Item::Value)),
        });
    }
    let Some(Item::Value(value)) = item else { return Vec::new() };
    match &value {
        Value::InlineTable(table) => {
            table.get("mean").or_else(|| table.get("exponential")).cloned().into_iter().collect()
        }
        Value::String(text) => text.value().parse::<Span>().map_or_else(
            |_| Vec::new(),
            |span| {
                rounder_spans(span).into_iter().map(|span| Value::from(span.to_string())).collect()
            },
        ),
        Value::Integer(number) => rounder(*number.value()).into_iter().map(Value::from).collect(),
        Value::Float(number) => {
            let number = *number.value();
            let digits = 10f64.powf(number.abs().max(1e-9).log10().floor());
            let round = (number / digits).round() * digits;
            [1.0, round]
                .into_iter()
                .filter(|one| (*one - number).abs() > 1e-12)
                .map(Value::from)
                .collect()
        }
        Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) => Vec::new(),
    }
}

fn rounder_spans(span: Span) -> Vec<Span> {
    let seconds = span.as_nanos() / 1_000_000_000;
    let steps = [3_600, 600, 60, 10, 1];
    let rounded =
        steps.into_iter().filter(|step| *step * 2 <= seconds).map(|step| seconds / step * step);
    let minute = [60, 1].into_iter().filter(|simple| *simple < seconds);
    let mut all: Vec<Span> = minute.chain(rounded).map(Span::from_secs).collect();
    all.retain(|one| *one != span);
    all
}

fn rounder(number: i64) -> Vec<i64> {
    let steps = [100_000, 10_000, 1_000, 100, 10];
    let rounded = steps.into_iter().filter(|step| *step <= number).map(|step| number / step * step);
    let mut all: Vec<i64> = [1].into_iter().filter(|one| *one < number).chain(rounded).collect();
    all.retain(|one| *one != number);
    all
}
