//! Files of a storage, by a mount of this machine, which may hang, or by commands on another one.
//!
//! A thread that hangs in a mount cannot be ended, so there is at most one a mount: while it hangs,
//! the mount is not asked again. A command is killed when nobody waits for it any more.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::adapters::program;

/// A folder of the storage as a server has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum StorageWay {
    /// Mounted here.
    Here(PathBuf),
    /// On the server itself.
    There(StorageThere),
}

/// A folder that is reached through a command.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageThere {
    /// The folder, by the server's own name for it; without spaces.
    pub folder: PathBuf,
    /// What `tee PATH` and `cat PATH` are put after to be run there, such as `ssh` and a host.
    /// Where it is empty, it is what the table `ssh` says of the server.
    #[serde(default)]
    pub through: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Storage {
    Here { folder: PathBuf, threads: Arc<Semaphore> },
    There(StorageThere),
}

impl From<StorageWay> for Storage {
    fn from(way: StorageWay) -> Self {
        match way {
            StorageWay::Here(folder) => Self::Here { folder, threads: Arc::new(Semaphore::new(1)) },
            StorageWay::There(there) => Self::There(there),
        }
    }
}

impl StorageThere {
    async fn run(&self, tool: &str, name: &str, text: &str) -> Option<String> {
        let path = self.folder.join(name).display().to_string();
        let words: Vec<_> = self.through.iter().cloned().chain([tool.to_owned(), path]).collect();
        program::answer(&words, text).await.ok()
    }
}

impl Storage {
    /// Writes a file; nothing if that failed. It is on the storage when this returns.
    pub async fn write(&self, name: String, text: String) -> Option<()> {
        match self {
            Self::Here { folder, threads } => {
                let path = folder.join(name);
                on_a_thread(threads, move || write(&path, &text)).await
            }
            Self::There(there) => there.run("tee", &name, &text).await.map(drop),
        }
    }

    /// What stands in a file; nothing if it cannot be read.
    pub async fn read(&self, name: String) -> Option<String> {
        match self {
            Self::Here { folder, threads } => {
                let path = folder.join(name);
                on_a_thread(threads, move || std::fs::read_to_string(path)).await
            }
            Self::There(there) => there.run("cat", &name, "").await,
        }
    }

    /// Whether it is there and can be listed; nothing if that is not known.
    pub async fn is_listed(&self) -> Option<()> {
        match self {
            Self::Here { folder, threads } => {
                let folder = folder.clone();
                on_a_thread(threads, move || std::fs::read_dir(folder).map(drop)).await
            }
            Self::There(there) => there.run("ls", "", "").await.map(drop),
        }
    }

    /// Where it is, to be shown.
    pub fn shown(&self) -> String {
        match self {
            Self::Here { folder, .. } => folder.display().to_string(),
            Self::There(there) => format!("{} on the server", there.folder.display()),
        }
    }
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()
}

async fn on_a_thread<T: Send + 'static>(
    threads: &Arc<Semaphore>,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Option<T> {
    let turn = Arc::clone(threads).acquire_owned().await.ok()?;
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(turn);
        done
    });
    done.await.ok()?.ok()
}
