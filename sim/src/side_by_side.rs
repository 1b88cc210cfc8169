//! Work on several threads at once.

use std::num::NonZeroUsize;
use std::sync::Mutex;

/// Does `work` with each of `parts` on up to `jobs` threads, which take them in order until there
/// are no more.
///
/// # Errors
/// The last that `work` gave; all parts are done all the same.
pub(crate) fn side_by_side<T: Send, E: Send>(
    jobs: NonZeroUsize,
    parts: impl IntoIterator<IntoIter: Iterator<Item = T> + Send>,
    work: impl Fn(T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let parts = parts.into_iter();
    let threads = parts.size_hint().1.map_or(jobs.get(), |most| jobs.get().min(most));
    let (left, failed) = (Mutex::new(parts), Mutex::new(None));
    let worker = || {
        while let Some(part) = left.lock().ok().and_then(|mut left| left.next()) {
            if let Err(why) = work(part)
                && let Ok(mut failed) = failed.lock()
            {
                *failed = Some(why);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(worker);
        }
        worker();
    });
    failed.into_inner().ok().flatten().map_or(Ok(()), Err)
}
