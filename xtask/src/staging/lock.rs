//! One stack at a time on a machine.

use std::fs::{File, TryLockError};
use std::io::Write;

use super::failure::Failure;

const PATH: &str = "/run/tidegate-staging.lock";

/// That nobody else works on the stack of this machine.
#[derive(Debug)]
pub(super) struct Lock(File);

/// Takes it.
pub(super) fn take() -> Result<Lock, Failure> {
    let failed = |why| Failure::io(format!("lock `{PATH}` (as root)"), why);
    let mut file =
        File::options().create(true).append(true).read(true).open(PATH).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let who = std::fs::read_to_string(PATH).unwrap_or_default();
            let why = format!("{} works on it: wait until it ends", who.trim());
            return Err(Failure::said("take the stack of this machine", why));
        }
        Err(TryLockError::Error(why)) => return Err(failed(why)),
    }
    file.set_len(0).map_err(failed)?;
    let who = format!("process {} of {}\n", std::process::id(), super::host::folder().display());
    file.write_all(who.as_bytes()).map_err(failed)?;
    Ok(Lock(file))
}

impl Lock {
    /// Gives it back.
    pub fn release(self) {
        drop(self.0);
    }
}
