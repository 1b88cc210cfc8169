//! What tests give to readers of what comes from outside: a text that is read, changed a little, or
//! any bytes at all.

#[path = "../../core/tests/properties/cases.rs"]
mod cases;

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

pub(crate) use cases::config;

/// What any word of a text may be replaced by.
const WORDS: [&str; 26] = [
    "",
    "0",
    "1",
    "-1",
    "65536",
    "4294967295",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "1e999",
    "-0.0",
    "NaN",
    "+Inf",
    "null",
    "true",
    "\"",
    "[]",
    "{}",
    "\n",
    "\r\n\r\n",
    "\u{0}",
    "é",
    "9223372036854775807ns",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
];

/// One of these texts with a few changes, or any bytes.
pub(crate) fn bytes(seeds: &[&str]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let seeds: Vec<String> = seeds.iter().copied().map(str::to_owned).collect();
    let changed = (select(seeds), vec(change(), 0..4)).prop_map(|(seed, changes)| {
        changes.iter().fold(seed, |text, change| apply(&text, change)).into_bytes()
    });
    let torn = (changed.clone(), any::<Index>(), any::<u8>()).prop_map(|(mut bytes, at, by)| {
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = by;
        }
        bytes
    });
    prop_oneof![8 => changed, 2 => torn, 1 => any::<Vec<u8>>()]
}

/// The same as texts; what is none is read as far as it can be.
pub(crate) fn texts(seeds: &[&str]) -> impl Strategy<Value = String> + use<> {
    bytes(seeds).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[derive(Clone, Debug)]
enum Change {
    Replace(Index, &'static str),
    Number(Index, &'static str),
    Copy(Index, Index),
    Repeat(Index),
    Cut(Index),
}

fn change() -> impl Strategy<Value = Change> + Clone {
    let index = any::<Index>;
    prop_oneof![
        4 => (index(), select(&WORDS[..])).prop_map(|(at, word)| Change::Replace(at, word)),
        4 => (index(), select(&WORDS[..])).prop_map(|(at, word)| Change::Number(at, word)),
        3 => (index(), index()).prop_map(|(at, from)| Change::Copy(at, from)),
        1 => index().prop_map(Change::Repeat),
        1 => index().prop_map(Change::Cut),
    ]
}

fn apply(text: &str, change: &Change) -> String {
    let words = words(text);
    if words.is_empty() {
        return text.to_owned();
    }
    let place = |at: &Index| at.get(&words).clone();
    let (at, by) = match change {
        Change::Replace(at, word) => (place(at), *word),
        Change::Number(at, word) => {
            let is_number = |at: &&Range<usize>| text[at.start..].starts_with(char::is_numeric);
            let numbers: Vec<_> = words.iter().filter(is_number).cloned().collect();
            let all = if numbers.is_empty() { &words } else { &numbers };
            (at.get(all).clone(), *word)
        }
        Change::Copy(at, from) => (place(at), &text[place(from)]),
        Change::Repeat(at) => {
            let at = place(at);
            (at.end..at.end, &text[at])
        }
        Change::Cut(at) => (place(at).start..text.len(), ""),
    };
    format!("{}{by}{}", &text[..at.start], &text[at.end..])
}

/// Where words and numbers stand, and every other letter.
fn words(text: &str) -> Vec<Range<usize>> {
    let is_part = |letter: char| letter.is_alphanumeric() || "._+-".contains(letter);
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut is_open = false;
    for (at, letter) in text.char_indices() {
        let end = at + letter.len_utf8();
        match found.last_mut() {
            Some(last) if is_open && is_part(letter) => last.end = end,
            Some(_) | None => found.push(at..end),
        }
        is_open = is_part(letter);
    }
    found
}
