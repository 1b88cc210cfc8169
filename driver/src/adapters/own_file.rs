//! A file that another program reads and an adapter changes: replaced as a whole, by one controller
//! at a time. A link is followed.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::clock::Clock;
use crate::fence::Fence;
use crate::ports::{Order, PortError};

const LOCK: &str = ".lock";
const NEW: &str = ".new";

/// Where it is, and what it is called when it cannot be used.
#[derive(Clone, Debug)]
pub(super) struct OwnFile {
    path: PathBuf,
    what: &'static str,
}

impl OwnFile {
    pub const fn new(path: PathBuf, what: &'static str) -> Self {
        Self { path, what }
    }

    /// The file with this behind its name.
    pub fn beside(&self, more: &str) -> PathBuf {
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let mut path = path.into_os_string();
        path.push(more);
        path.into()
    }

    /// What a port makes of a failure to use `path`, which is the file or lies beside it.
    pub fn failed(&self, path: &Path, why: &io::Error) -> PortError {
        PortError::refused(format!("{}, `{}`: {why}", self.what, path.display()))
    }

    pub fn read(&self) -> Result<String, PortError> {
        fs::read_to_string(&self.path).map_err(|why| self.failed(&self.path, &why))
    }

    /// Writes the file, or the one beside it with this behind its name. It is on disk, as a whole,
    /// when this returns, with the permissions that the file has.
    pub fn replace(&self, more: &str, text: &str) -> Result<(), PortError> {
        let (path, new) = (self.beside(more), self.beside(NEW));
        let written = || {
            let mut file = File::create(&new)?;
            file.write_all(text.as_bytes())?;
            file.set_permissions(fs::metadata(&self.path)?.permissions())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        };
        written().map_err(|why| self.failed(&path, &why))
    }

    /// Waits until nobody else changes it, for as long as `order` is in force. It is held against
    /// every other controller for as long as what is returned is kept.
    pub async fn lock(
        &self,
        order: &Order,
        fence: &Fence,
        clock: &dyn Clock,
    ) -> Result<File, PortError> {
        loop {
            if let Some(held) = self.try_lock()? {
                return Ok(held);
            }
            let overdue = format!("another controller holds {}", self.what);
            fence.pause(order, clock, &overdue).await?;
        }
    }

    fn try_lock(&self) -> Result<Option<File>, PortError> {
        let path = self.beside(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|why| self.failed(&path, &why))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(why)) => Err(self.failed(&path, &why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_followed_and_one_at_a_time_holds_the_file() {
        let folder = std::env::temp_dir().join(format!("tidegate-own-{}", std::process::id()));
        fs::create_dir_all(folder.join("there")).unwrap();
        let (real, link) = (folder.join("there/app.conf"), folder.join("app.conf"));
        fs::write(&real, "server a;\n").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let file = OwnFile::new(link.clone(), "the file");
        let held = file.try_lock().unwrap();
        assert!(held.is_some() && file.try_lock().unwrap().is_none());
        file.replace("", "server b;\n").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "server b;\n");
        drop(held);
        assert!(file.try_lock().unwrap().is_some());
        fs::remove_dir_all(&folder).unwrap();
        assert!(file.read().unwrap_err().what.contains("the file, `"));
    }
}
