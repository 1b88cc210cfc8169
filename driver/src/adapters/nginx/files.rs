//! The upstream file on disk, and beside it what was in force before a change that is under way.
//!
//! Each is written whole or not at all. The file from before is there from before a change is
//! written until nginx works by it: without it, what the file says is in force.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::upstream::Upstream;
use super::workers::Process;
use crate::ports::PortError;

/// Opens the first line of the file from before.
const IN_FORCE: &str = "# tidegate: in force while these work:";

/// What is put behind the name of the upstream file.
pub(super) const BEFORE: &str = ".before";
const LOCK: &str = ".lock";
const NEW: &str = ".new";

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
pub(super) struct Files(PathBuf);

fn failed(path: &Path, why: &io::Error) -> PortError {
    PortError::refused(format!("the upstream file, `{}`: {why}", path.display()))
}

impl Files {
    pub const fn new(file: PathBuf) -> Self {
        Self(file)
    }

    /// The file with this behind its name; a link is followed first.
    fn beside(&self, more: &str) -> PathBuf {
        let mut path =
            fs::canonicalize(&self.0).unwrap_or_else(|_| self.0.clone()).into_os_string();
        path.push(more);
        path.into()
    }

    pub fn read(&self) -> Result<Upstream, PortError> {
        fs::read_to_string(&self.0).map(Upstream).map_err(|why| failed(&self.0, &why))
    }

    /// What was in force before, if a change was not brought to its end.
    pub fn before(&self) -> Result<Option<Before>, PortError> {
        let path = self.beside(BEFORE);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(Before::parse(&text))),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(failed(&path, &why)),
        }
    }

    pub fn write(&self, upstream: &Upstream) -> Result<(), PortError> {
        self.replace("", &upstream.0)
    }

    pub fn keep(&self, before: &Before) -> Result<(), PortError> {
        self.replace(BEFORE, &before.text())
    }

    /// What the file says is in force.
    pub fn forget_before(&self) -> Result<(), PortError> {
        let path = self.beside(BEFORE);
        match fs::remove_file(&path) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => Err(failed(&path, &why)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// It is on disk, as a whole, when this returns.
    fn replace(&self, more: &str, text: &str) -> Result<(), PortError> {
        let (path, new) = (self.beside(more), self.beside(NEW));
        let written = || {
            let mut file = File::create(&new)?;
            file.write_all(text.as_bytes())?;
            file.set_permissions(fs::metadata(&self.0)?.permissions())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        };
        written().map_err(|why| failed(&path, &why))
    }

    /// Holds the files against every other controller for as long as what is returned is kept;
    /// nothing, if somebody else holds them.
    pub fn try_lock(&self) -> Result<Option<File>, PortError> {
        let path = self.beside(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|why| failed(&path, &why))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(why)) => Err(failed(&path, &why)),
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

    #[test]
    fn a_link_is_followed_and_one_at_a_time_holds_the_files() {
        let folder = std::env::temp_dir().join(format!("tidegate-files-{}", std::process::id()));
        fs::create_dir_all(folder.join("there")).unwrap();
        let (real, link) = (folder.join("there/app.conf"), folder.join("app.conf"));
        fs::write(&real, "server a;\n").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let files = Files::new(link.clone());
        let held = files.try_lock().unwrap();
        assert!(held.is_some() && files.try_lock().unwrap().is_none());
        files.write(&Upstream("server b;\n".to_owned())).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "server b;\n");
        assert_eq!(files.before().unwrap(), None);
        files.forget_before().unwrap();
        drop(held);
        assert!(files.try_lock().unwrap().is_some());
        fs::remove_dir_all(&folder).unwrap();
        assert!(files.read().unwrap_err().what.contains("the upstream file"));
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
