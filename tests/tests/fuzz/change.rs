//! Changes of a text that leave most of it as it was, so that many of its values are reached.

use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tidegate_core::Span;

/// What a value of no particular kind may be replaced by.
const ANYTHING: [&str; 12] = [
    "0",
    "-1",
    "1e308",
    "nan",
    "18446744073709551615",
    "true",
    "\"\"",
    "[]",
    "{}",
    "[[]]",
    "\"\\u0000\"",
    "2026-03-02",
];
const WHOLE: [&str; 10] = [
    "0",
    "1",
    "2",
    "64",
    "65535",
    "65536",
    "4294967295",
    "9223372036854775807",
    "-1",
    "18446744073709551616",
];
const FLOATS: [&str; 9] = ["0.0", "-0.0", "5e-324", "0.5", "1e7", "1e308", "nan", "inf", "-1.0"];
const DURATIONS: [&str; 15] = [
    "0s",
    "1ns",
    "9ms",
    "10ms",
    "1s",
    "7s",
    "1m",
    "1h",
    "365d",
    "366d",
    "367d",
    "-1s",
    "PT1S",
    "106751d",
    "9223372036854775807ns",
];
const RATIOS: [&str; 8] =
    ["0%", "100%", "0.0001%", "99.99995%", "429496%", "-1%", "nan%", "1e300%"];
const SIZES: [&str; 8] =
    ["0B", "1B", "256MiB", "4GiB", "1000TiB", "1048576GiB", "1125899906842624B", "8EiB"];
const PRICES: [&str; 6] = [
    "0 USD/month",
    "0.000001 USD/hour",
    "9223372036854.775807 USD/hour",
    "9223372036854.775807 USD/month",
    "1 EUR/month",
    "-1 USD/month",
];
const TIMES: [&str; 10] = [
    "9999-12-31T23:59[UTC]",
    "1677-09-21T00:13[UTC]",
    "2200-01-01T00:00[UTC]",
    "2262-04-11T23:36[UTC]",
    "2262-04-11T23:47[UTC]",
    "-009999-01-01T00:00[UTC]",
    "2026-03-29T02:30[Europe/Berlin]",
    "2026-03-29T03:00[Europe/Berlin]",
    "2026-10-25T02:30[Europe/Berlin]",
    "2026-03-29T00:55[UTC]",
];
const CRONS: [&str; 6] =
    ["* * * * * *", "* * * * *", "0 0 30 2 *", "0 0 29 2 1#5", "0 0 L * *", "0 0 1 1 * 9999"];

/// Texts of every kind.
pub fn typical() -> Vec<&'static str> {
    [&DURATIONS[..], &RATIOS, &SIZES, &PRICES, &TIMES, &CRONS].concat()
}

/// One change of a scenario's text.
#[derive(Clone, Debug)]
enum Change {
    Drop(Index),
    Repeat(Index),
    Swap(Index, Index),
    Value(Index, &'static str),
    Number(Index, Index),
    Text(Index, Index),
    Insert(Index, char),
    Cut(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    let two = || (index(), index());
    prop_oneof![
        1 => index().prop_map(Change::Drop),
        1 => index().prop_map(Change::Repeat),
        1 => two().prop_map(|(one, other)| Change::Swap(one, other)),
        1 => (index(), select(&ANYTHING[..])).prop_map(|(at, value)| Change::Value(at, value)),
        10 => two().prop_map(|(at, by)| Change::Number(at, by)),
        20 => two().prop_map(|(at, by)| Change::Text(at, by)),
        1 => (index(), any::<char>()).prop_map(|(at, letter)| Change::Insert(at, letter)),
        1 => index().prop_map(Change::Cut),
    ]
}

/// One of these texts, with a few changes.
pub fn changed(seeds: Vec<String>, changes: impl Into<SizeRange>) -> impl Strategy<Value = String> {
    let changes = vec(change(), changes);
    (select(seeds), changes)
        .prop_map(|(seed, changes)| changes.iter().fold(seed, |text, change| apply(&text, change)))
}

fn apply(text: &str, change: &Change) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    match *change {
        _ if lines.is_empty() => {}
        Change::Drop(at) => {
            let at = at.index(lines.len());
            lines.remove(at);
        }
        Change::Repeat(at) => {
            let at = at.index(lines.len());
            lines.insert(at, lines[at]);
        }
        Change::Swap(one, other) => {
            let (one, other) = (one.index(lines.len()), other.index(lines.len()));
            lines.swap(one, other);
        }
        Change::Value(at, value) => return replace(text, &values(text), at, |_| value),
        Change::Number(at, by) => return replace(text, &numbers(text), at, |is| number(is, by)),
        Change::Text(at, by) => return replace(text, &texts(text), at, |is| like(is, text, by)),
        Change::Insert(at, letter) => {
            let letter = letter.to_string();
            return replace(text, &places(text), at, |_| &letter);
        }
        Change::Cut(at) => return text[..at.get(&places(text)).0].to_owned(),
    }
    lines.join("\n")
}

/// Puts what `by` gives in the place of one of these stretches of `text`.
fn replace<'a>(
    text: &'a str,
    stretches: &[(usize, usize)],
    at: Index,
    by: impl FnOnce(&'a str) -> &'a str,
) -> String {
    if stretches.is_empty() {
        return text.to_owned();
    }
    let (from, to) = *at.get(stretches);
    format!("{}{}{}", &text[..from], by(&text[from..to]), &text[to..])
}

fn number(is: &str, by: Index) -> &'static str {
    let choices: &[&str] = if is.contains('.') { &FLOATS } else { &WHOLE };
    choices[by.index(choices.len())]
}

/// Another text of the same kind; for a name, another of the file's texts.
fn like<'a>(is: &str, text: &'a str, by: Index) -> &'a str {
    let kinds: [(bool, &[&str]); 6] = [
        (is.contains("* "), &CRONS),
        (is.contains('['), &TIMES),
        (is.contains('/'), &PRICES),
        (is.ends_with('%'), &RATIOS),
        (is.ends_with('B'), &SIZES),
        (is.parse::<Span>().is_ok(), &DURATIONS),
    ];
    if let Some((_, choices)) = kinds.into_iter().find(|(fits, _)| *fits) {
        return choices[by.index(choices.len())];
    }
    let (from, to) = *by.get(&texts(text));
    &text[from..to]
}

/// Between all letters.
fn places(text: &str) -> Vec<(usize, usize)> {
    text.char_indices().map(|(at, _)| (at, at)).collect()
}

/// Where numbers stand outside of words and texts.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let is_part = |letter: char| letter.is_ascii_digit() || letter == '.';
    let is_word = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
    let outside = |at: usize| {
        let line = text[..at].rsplit('\n').next().unwrap_or_default();
        !line.ends_with(is_word) && line.matches('"').count().is_multiple_of(2)
    };
    let starts = text.match_indices(|letter: char| letter.is_ascii_digit()).map(|(at, _)| at);
    let end =
        |at: usize| text[at..].find(|letter| !is_part(letter)).map_or(text.len(), |len| at + len);
    starts.filter(|at| outside(*at)).map(|at| (at, end(at))).collect()
}

/// Where texts stand, within their quotes.
fn texts(text: &str) -> Vec<(usize, usize)> {
    let quotes: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
    quotes.chunks_exact(2).map(|pair| (pair[0] + 1, pair[1])).collect()
}

/// Where values stand, from the equals sign to the end of the line.
fn values(text: &str) -> Vec<(usize, usize)> {
    let end = |at: usize| text[at..].find('\n').map_or(text.len(), |length| at + length);
    text.match_indices(" = ").map(|(at, sign)| (at + sign.len(), end(at + sign.len()))).collect()
}
