//! SIGINT and SIGTERM end what is under way, and all is cleaned up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::host::folder;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
const POLL: Duration = Duration::from_millis(50);

/// Watches for the signals from now on.
pub(super) fn watch() -> Result<(), Failure> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::SeqCst))
        .map_err(|why| Failure::said("watch for signals", why.to_string()))
}

/// An error once there was a signal.
pub(super) fn check() -> Result<(), Failure> {
    if INTERRUPTED.load(Ordering::SeqCst) { Err(Failure::Interrupted) } else { Ok(()) }
}

/// Waits for what `look` finds.
pub(super) fn wait<T>(
    what: &str,
    patience: Duration,
    mut look: impl FnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let end = Instant::now() + patience;
    loop {
        check()?;
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() > end {
            return Err(Failure::Late(what.to_owned(), folder().display().to_string()));
        }
        std::thread::sleep(POLL);
    }
}
