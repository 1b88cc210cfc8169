//! The processes of this machine, as the kernel tells of them.

use std::collections::BTreeMap;
use std::io;

/// What it says of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// Its program's name, cut off at 15 letters.
    pub name: String,
    pub parent: u32,
    /// When it began, in clock ticks since the machine did. Numbers are given anew; with this, one
    /// is never taken for another.
    pub born: u64,
    /// Whether it has not ended.
    pub runs: bool,
}

/// All of them. One that is there for the whole time is not missed.
pub(super) fn all() -> io::Result<BTreeMap<u32, Stat>> {
    let entries = std::fs::read_dir("/proc")?;
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(pids.filter_map(|pid| Some((pid, stat(pid)?))).collect())
}

/// The one of this number, if there is one.
pub(super) fn stat(pid: u32) -> Option<Stat> {
    parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name may hold anything, brackets and blanks too.
fn parse(text: &str) -> Option<Stat> {
    let (before, rest) = text.rsplit_once(") ")?;
    let (_, name) = before.split_once(" (")?;
    let mut fields = rest.split_whitespace();
    let runs = !matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let born = fields.nth(17)?.parse().ok()?;
    Some(Stat { name: name.to_owned(), parent, born, runs })
}

/// What it was called with, or how it calls itself since; nothing if it has ended.
pub(super) fn words(pid: u32) -> Vec<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let text = "77 (a) (b) S 12 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9\n";
        let expected = Stat { name: "a) (b".to_owned(), parent: 12, born: 4711, runs: true };
        assert_eq!(parse(text), Some(expected));
        assert!(!parse(&text.replace(" S ", " Z ")).unwrap().runs);
        assert_eq!(parse("77 (a"), None);
        let own = std::process::id();
        assert_eq!(all().unwrap().get(&own), stat(own).as_ref());
        assert!(stat(own).unwrap().born > 0 && !words(own).is_empty());
    }
}
