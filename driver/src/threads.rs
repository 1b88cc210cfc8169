//! The threads that a command does its work on.

/// Does `work` to its end. A thread that hangs in a mount by then is not waited for.
///
/// # Errors
/// If there is no runtime to be had from the system.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = threads.block_on(work);
    threads.shutdown_background();
    Ok(done)
}
