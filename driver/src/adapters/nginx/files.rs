//! The upstream file on disk, and beside it what was in force before a change that is under way.
//!
//! Each is written whole or not at all. The file from before is there from before a change is
//! written until nginx works by it: without it, what the file says is in force.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::upstream::Upstream;
use super::workers::Process;
use crate::adapters::own_file::OwnFile;
use crate::ports::PortError;

/// Opens the first line of the file from before.
const IN_FORCE: &str = "# tidegate: in force while these work:";

/// What is put behind the name of the upstream file.
pub(super) const BEFORE: &str = ".before";

/// What was in force before a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Before {
    /// All that had begun by then. While those that serve are among them, it still is.
    pub workers: BTreeSet<Process>,
    pub upstream: Upstream,
}

impl Before {
    fn text(&self) -> String {
        let workers = self.workers.iter().map(|Process { pid, born }| format!(" {pid}@{born}"));
        format!("{IN_FORCE}{}\n{}", workers.collect::<String>(), self.upstream.0)
    }

    fn parse(text: &str) -> Self {
        let (head, rest) = text.split_once('\n').unwrap_or((text, ""));
        let process = |word: &str| {
            let (pid, born) = word.split_once('@')?;
            Some(Process { pid: pid.parse().ok()?, born: born.parse().ok()? })
        };
        let Some(workers) = head.strip_prefix(IN_FORCE) else {
            return Self { workers: BTreeSet::new(), upstream: Upstream(text.to_owned()) };
        };
        let workers = workers.split_whitespace().filter_map(process).collect();
        Self { workers, upstream: Upstream(rest.to_owned()) }
    }
}

/// Where the upstream file is.
#[derive(Clone, Debug)]
pub(super) struct Files(pub OwnFile);

impl Files {
    pub const fn new(file: PathBuf) -> Self {
        Self(OwnFile::new(file, "the upstream file"))
    }

    pub fn read(&self) -> Result<Upstream, PortError> {
        self.0.read().map(Upstream)
    }

    /// What was in force before, if a change was not brought to its end.
    pub fn before(&self) -> Result<Option<Before>, PortError> {
        let path = self.0.beside(BEFORE);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(Before::parse(&text))),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(self.0.failed(&path, &why)),
        }
    }

    pub fn write(&self, upstream: &Upstream) -> Result<(), PortError> {
        self.0.replace("", &upstream.0)
    }

    pub fn keep(&self, before: &Before) -> Result<(), PortError> {
        self.0.replace(BEFORE, &before.text())
    }

    /// What the file says is in force.
    pub fn forget_before(&self) -> Result<(), PortError> {
        let path = self.0.beside(BEFORE);
        match fs::remove_file(&path) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => Err(self.0.failed(&path, &why)),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::{config, texts};

    #[test]
    fn what_was_before_is_read_as_it_was_written() {
        let upstream = Upstream("server a;\nserver b down;\n".to_owned());
        let workers = BTreeSet::from([Process { pid: 7, born: 70 }, Process { pid: 8, born: 80 }]);
        for workers in [workers, BTreeSet::new()] {
            let before = Before { workers, upstream: upstream.clone() };
            assert_eq!(Before::parse(&before.text()), before);
        }
        let foreign = Before::parse("server a;\n");
        assert!(foreign.workers.is_empty() && foreign.upstream.0 == "server a;\n");
        assert!(Before::parse("").upstream.0.is_empty());
    }

    proptest! {
        #![proptest_config(config(5_000))]

        #[test]
        fn any_file_from_before_is_read_and_written_as_the_same(
            text in texts(&["# tidegate: in force while these work: 7@70 8@80\nserver a;\n"]),
        ) {
            let before = Before::parse(&text);
            prop_assert_eq!(Before::parse(&before.text()), before);
        }
    }
}
