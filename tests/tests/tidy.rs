//! What the tree keeps to: floors, short files and functions, and nothing that nobody reaches.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const COLUMNS: usize = 100;
const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;
const CORE_DEPENDENCIES: usize = 6;

/// Members of the workspace and the floor that each stands on; it may use what lies below.
const FLOORS: [(&str, &str, usize); 7] = [
    ("core", "tidegate-core", 0),
    ("sim", "tidegate-sim", 1),
    ("driver", "tidegate-driver", 1),
    ("reports", "tidegate-reports", 1),
    ("cli", "tidegate", 2),
    ("tests", "tidegate-tests", 3),
    ("xtask", "xtask", 3),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn table(path: &Path) -> toml::Table {
    fs::read_to_string(path).unwrap().parse().unwrap()
}

/// Files with this extension below `directory`, but for hidden ones, build output and packages of
/// their own.
fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let apart = path.join("Cargo.toml").exists();
            if !name.starts_with('.') && name != "target" && !apart {
                found.extend(files(&path, extension));
            }
        } else if path.extension().is_some_and(|given| given == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What `find` finds in each Rust source of the workspace, with the file before it.
fn findings(find: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let root = root();
    let mut all = Vec::new();
    for (member, ..) in FLOORS {
        for path in files(&root.join(member), "rs") {
            let shown = path.strip_prefix(&root).unwrap().display().to_string();
            let text = fs::read_to_string(&path).unwrap();
            all.extend(find(&text).into_iter().map(|what| format!("{shown}:{what}")));
        }
    }
    all
}

fn dependencies(manifest: &toml::Table) -> Vec<(&str, &String)> {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let names = |kind: &'static str| {
        let table = manifest.get(kind).and_then(toml::Value::as_table);
        table.into_iter().flat_map(toml::Table::keys).map(move |name| (kind, name))
    };
    kinds.into_iter().flat_map(names).collect()
}

/// Dependencies that do not lie on a lower floor.
fn upward(floor: usize, manifest: &toml::Table) -> Vec<String> {
    let lies_above = |name: &str| {
        let other = FLOORS.iter().find(|(_, package, _)| *package == name);
        other.is_some_and(|(.., other)| *other >= floor)
    };
    let names = dependencies(manifest).into_iter().map(|(_, name)| name.clone());
    names.filter(|name| lies_above(name)).collect()
}

#[test]
fn no_import_runs_upward() {
    for (member, package, floor) in FLOORS {
        let manifest = table(&root().join(member).join("Cargo.toml"));
        assert_eq!(manifest["package"]["name"].as_str(), Some(package));
        assert_eq!(upward(floor, &manifest), Vec::<String>::new(), "in {member}");
    }
    let planted = "[dependencies]\ntidegate-core = {}\n[dev-dependencies]\ntidegate-sim = {}\n";
    assert_eq!(upward(1, &planted.parse().unwrap()), ["tidegate-sim"]);
}

#[test]
fn every_member_has_its_floor() {
    let manifest = table(&root().join("Cargo.toml"));
    let members = manifest["workspace"]["members"].as_array().unwrap();
    let names: BTreeSet<_> = members.iter().filter_map(toml::Value::as_str).collect();
    assert_eq!(names, FLOORS.iter().map(|(member, ..)| *member).collect());
}

#[test]
fn the_core_has_few_dependencies() {
    let manifest = table(&root().join("core/Cargo.toml"));
    let dependencies = dependencies(&manifest);
    let shipped: Vec<_> = dependencies.iter().filter(|(kind, _)| *kind == "dependencies").collect();
    assert!(!shipped.is_empty() && shipped.len() <= CORE_DEPENDENCIES, "{shipped:?}");
}

fn long_lines(text: &str) -> Vec<String> {
    let long = |line: &str| line.chars().count() > COLUMNS;
    let lines = text.lines().enumerate().filter(|(_, line)| long(line));
    lines.map(|(index, _)| format!("{}: is past {COLUMNS} columns", index + 1)).collect()
}

#[test]
fn no_line_is_past_100_columns() {
    assert_eq!(findings(long_lines), Vec::<String>::new());
    assert_eq!(long_lines(&"é".repeat(COLUMNS)), Vec::<String>::new());
    assert_eq!(long_lines(&"é".repeat(COLUMNS + 1)).len(), 1);
}

#[test]
fn no_file_is_past_600_lines() {
    let long = |text: &str| {
        let lines = text.lines().count();
        (lines > FILE_LINES).then(|| format!("has {lines} lines")).into_iter().collect()
    };
    assert_eq!(findings(long), Vec::<String>::new());
}

fn opens_function(line: &str) -> bool {
    let words = line.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    let before = ["pub", "crate", "super", "in", "const", "async", "unsafe", "extern", ""];
    let mut rest = words.skip_while(|word| before.contains(word));
    rest.next() == Some("fn") && !line.trim_start().starts_with('(')
}

/// Functions past the limit. The source is taken to be as rustfmt leaves it: a function ends at the
/// first line that closes a brace at the indentation at which the function began.
fn long_functions(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate().filter(|(_, line)| opens_function(line)) {
        let ends = |other: &&str| {
            let rest = other.trim_start();
            let declares = rest.starts_with(')') && rest.ends_with(';');
            indent(other) == indent(line) && (rest.starts_with('}') || declares)
        };
        let length = match lines[start + 1..].iter().position(ends) {
            _ if line.ends_with(['}', ';']) => 1,
            Some(end) => end + 2,
            None => lines.len() - start,
        };
        if length > FUNCTION_LINES {
            found.push(format!("{}: the function has {length} lines", start + 1));
        }
    }
    found
}

#[test]
fn no_function_is_past_70_lines() {
    assert_eq!(findings(long_functions), Vec::<String>::new());
}

#[test]
fn a_long_function_is_found_wherever_it_stands() {
    let body = |lines: usize, indent: &str| format!("{indent}    let x = 1;\n").repeat(lines);
    for (indent, head) in [("", "fn f() {"), ("    ", "pub(crate) const fn f() -> u8 {")] {
        let function = |lines| format!("\n{indent}{head}\n{}{indent}}}\n", body(lines - 2, indent));
        assert_eq!(long_functions(&function(FUNCTION_LINES)), Vec::<String>::new());
        assert_eq!(long_functions(&function(FUNCTION_LINES + 1)).len(), 1);
        assert_eq!(long_functions(&function(FUNCTION_LINES).repeat(2)), Vec::<String>::new());
    }
    let trait_of_two = format!("    fn f();\n{}    fn g() {{}}\n", body(FUNCTION_LINES, ""));
    assert_eq!(long_functions(&trait_of_two), Vec::<String>::new());
}

/// The files at which Cargo begins to read a crate.
fn roots(member: &Path) -> Vec<PathBuf> {
    let single = ["src/lib.rs", "src/main.rs", "build.rs"].map(|name| member.join(name));
    let mut roots: Vec<_> = single.into_iter().filter(|path| path.exists()).collect();
    for kind in ["src/bin", "tests", "benches", "examples"] {
        for entry in fs::read_dir(member.join(kind)).into_iter().flatten() {
            let path = entry.unwrap().path();
            let main = path.join("main.rs");
            if path.extension().is_some_and(|extension| extension == "rs") {
                roots.push(path);
            } else if main.exists() {
                roots.push(main);
            }
        }
    }
    roots
}

/// Adds `file` and all that its `mod` items reach; a root's modules lie beside it.
fn reach(file: &Path, is_root: bool, reached: &mut BTreeSet<PathBuf>) {
    if !file.exists() || !reached.insert(file.to_owned()) {
        return;
    }
    let beside = if is_root { file.parent().unwrap().to_owned() } else { file.with_extension("") };
    for line in fs::read_to_string(file).unwrap().lines() {
        let line = line.trim_start();
        let item = line.split_once("mod ").filter(|(before, _)| {
            before.is_empty() || before.starts_with("pub ") || before.starts_with("pub(")
        });
        if let Some(name) = item.and_then(|(_, rest)| rest.strip_suffix(';')) {
            reach(&beside.join(name).with_extension("rs"), false, reached);
        }
    }
}

/// Sources of a crate that no `mod` reaches.
fn dead(member: &Path) -> Vec<PathBuf> {
    let mut reached = BTreeSet::new();
    for root in roots(member) {
        reach(&root, true, &mut reached);
    }
    files(member, "rs").into_iter().filter(|path| !reached.contains(path)).collect()
}

#[test]
fn every_source_is_reached_by_a_mod() {
    for (member, ..) in FLOORS {
        assert_eq!(dead(&root().join(member)), Vec::<PathBuf>::new());
    }
}

#[test]
fn a_source_that_no_mod_reaches_is_found() {
    let crate_root = std::env::temp_dir().join(format!("tidegate-tidy-{}", std::process::id()));
    fs::create_dir_all(crate_root.join("src/one")).unwrap();
    let write = |name: &str, text: &str| fs::write(crate_root.join(name), text).unwrap();
    write("src/lib.rs", "pub mod one;\n");
    write("src/one.rs", "mod two;\n");
    write("src/one/two.rs", "");
    write("src/two.rs", "");
    assert_eq!(dead(&crate_root), [crate_root.join("src/two.rs")]);
    fs::remove_dir_all(crate_root).unwrap();
}

#[test]
fn no_module_is_a_mod_rs() {
    for (member, ..) in FLOORS {
        for path in files(&root().join(member), "rs") {
            assert_ne!(path.file_name().unwrap(), "mod.rs", "{}", path.display());
        }
    }
}

#[test]
fn every_scenario_opens_with_a_comment() {
    let scenarios = files(&root().join("scenarios"), "toml");
    assert!(!scenarios.is_empty());
    for path in scenarios {
        let text = fs::read_to_string(&path).unwrap();
        let comment = text.lines().next().and_then(|line| line.strip_prefix("# "));
        assert!(comment.is_some_and(|line| line.len() > 10), "{}", path.display());
    }
}
