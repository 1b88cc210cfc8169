//! `scenarios/README.md` is the manual of the scenario file: it leaves nothing out, and it runs.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::BTreeSet;

use serde_json::Value;
use tidegate_sim::scenario::{Overrides, parse, schema};
use tidegate_tests::shipped::{folder, scenarios};

fn manual() -> String {
    std::fs::read_to_string(folder().join("README.md")).unwrap()
}

/// Keys of tables, and words that a key may have as its value, wherever the schema has them.
fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            let properties = map.get("properties").and_then(Value::as_object);
            found.extend(properties.into_iter().flat_map(|one| one.keys().cloned()));
            let word = map.get("const").and_then(Value::as_str).map(str::to_owned);
            let words = map.get("enum").and_then(Value::as_array).into_iter().flatten();
            found
                .extend(word.into_iter().chain(words.filter_map(Value::as_str).map(str::to_owned)));
            map.values().for_each(|inner| collect(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_manual_names_every_key_and_word_of_the_schema() {
    let (manual, mut words) = (manual(), BTreeSet::new());
    collect(schema().as_value(), &mut words);
    assert!(words.len() > 100, "only {} found: the walk misses something", words.len());
    let is_named = |word: &str| {
        let forms = [format!("`{word}`"), format!("`[{word}]`"), format!("`[[{word}]]`")];
        forms.iter().any(|form| manual.contains(form))
    };
    let missing: Vec<_> = words.iter().filter(|word| !is_named(word)).collect();
    assert!(missing.is_empty(), "the manual does not name {missing:?}");
}

#[test]
fn the_manual_has_a_heading_for_every_table_and_lists_every_scenario() {
    let (manual, schema) = (manual(), schema());
    let keys = schema.as_value()["properties"].as_object().unwrap().keys();
    let of_the_run =
        ["title", "start", "duration", "seed", "grain", "fidelity", "defects", "policy_file"];
    for key in keys.filter(|key| !of_the_run.contains(&key.as_str())) {
        let heads = manual.lines().filter(|line| line.starts_with("## "));
        let named =
            |line: &str| line.contains(&format!("[{key}]")) || line.contains(&format!("[{key}."));
        assert!(heads.into_iter().any(named), "no heading for {key}");
    }
    for path in scenarios("") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(manual.contains(&format!("| `{name}` |")), "{name} is not listed");
    }
}

#[test]
fn every_example_of_the_manual_is_valid_where_it_belongs() {
    let manual = manual();
    let examples: Vec<&str> =
        manual.split("```toml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    let whole = examples[0];
    let read = |text: &str| {
        parse("example", "README.md", text, &folder(), &Overrides::default())
            .map_err(|error| format!("{error}\n{text}"))
    };
    read(whole).unwrap();
    for example in &examples[1..] {
        let base = NAMES.replace("GROUP", if example.contains("[group]") { "" } else { GROUP });
        let base = if example.contains("[plans.m16]") { base.replace(M16, "") } else { base };
        read(&format!("{base}{example}")).unwrap();
    }
}

const GROUP: &str = "group = { primary = \"m16\", standbys = 1 }";
const M16: &str = "plans.m16 = { vcpu = 4, memory = \"16GiB\", price = \"300 USD/month\" }";

/// Every name that an example refers to.
const NAMES: &str = r#"
start = "2026-03-02T08:00[Asia/Kolkata]"
duration = "4h"
plans.m16 = { vcpu = 4, memory = "16GiB", price = "300 USD/month" }
plans.l32 = { vcpu = 8, memory = "32GiB", price = "600 USD/month" }
GROUP
[[request]]
name = "login"
phases = [{ cpu = "1ms" }]
[[request]]
name = "question"
phases = [{ cpu = "1ms" }]
[[request]]
name = "submit"
phases = [{ cpu = "1ms" }]
[[job]]
name = "grade"
queue = "short"
phases = [{ cpu = "1ms" }]
[[load]]
kind = "constant"
rate = 1
"#;
