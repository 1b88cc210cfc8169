//! Files of a mount that may hang. A thread that hangs in it cannot be ended, so there is at most
//! one a mount: while it hangs, the mount is not asked again.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// A folder of a mount.
#[derive(Debug)]
pub(super) struct Storage {
    folder: PathBuf,
    threads: Arc<Semaphore>,
}

impl Storage {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, threads: Arc::new(Semaphore::new(1)) }
    }

    /// Writes a file; nothing if that failed. It is on the storage when this returns.
    pub async fn write(&self, name: String, text: String) -> Option<()> {
        let path = self.folder.join(name);
        self.on_a_thread(move || {
            let mut file = std::fs::File::create(path)?;
            std::io::Write::write_all(&mut file, text.as_bytes())?;
            file.sync_all()
        })
        .await
    }

    /// What stands in a file; nothing if it cannot be read.
    pub async fn read(&self, name: String) -> Option<String> {
        let path = self.folder.join(name);
        self.on_a_thread(move || std::fs::read_to_string(path)).await
    }

    /// Whether it is there and can be listed; nothing if that is not known.
    pub async fn is_listed(&self) -> Option<()> {
        let folder = self.folder.clone();
        self.on_a_thread(move || std::fs::read_dir(folder).map(drop)).await
    }

    /// Where it is, to be shown.
    pub fn shown(&self) -> String {
        self.folder.display().to_string()
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> Option<T> {
        let turn = Arc::clone(&self.threads).acquire_owned().await.ok()?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.ok()?.ok()
    }
}
