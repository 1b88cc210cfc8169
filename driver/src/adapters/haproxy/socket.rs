//! One command, one connection: `HAProxy` closes it after the answer.

use std::io;
use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::ports::PortError;

/// More than any answer about one backend: it bounds what is kept of a socket that is not
/// `HAProxy`'s.
const BYTES_MAX: u64 = 4 << 20;

/// Where the runtime API listens.
#[derive(Debug)]
pub(super) struct Socket(PathBuf);

impl Socket {
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Gives a command and reads the answer.
    pub async fn ask(&self, command: &str) -> Result<String, PortError> {
        self.exchange(command).await.map_err(|why| self.failed(&why))
    }

    fn failed(&self, why: &io::Error) -> PortError {
        let at = self.0.display();
        if why.kind() == io::ErrorKind::InvalidData {
            return PortError::refused(format!("what answers at `{at}` is not HAProxy"));
        }
        if why.kind() == io::ErrorKind::PermissionDenied {
            return PortError::refused(format!("its socket `{at}` may not be used by this user"));
        }
        PortError::unreachable(format!("its socket `{at}`: {why}"))
    }

    async fn exchange(&self, command: &str) -> io::Result<String> {
        let mut stream = UnixStream::connect(&self.0).await?;
        stream.write_all(format!("{command}\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.take(BYTES_MAX).read_to_string(&mut answer).await?;
        Ok(answer)
    }
}
