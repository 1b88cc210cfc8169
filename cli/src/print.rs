//! What is said, and to whom: results on standard output, refusals on standard error.

use std::io::{self, ErrorKind, Write};

/// Writes to standard output. A reader that has seen enough and left, such as `head`, is no
/// failure.
pub(crate) fn result(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(why) if why.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes a line to standard error; if that is closed, there is nobody left to tell.
pub(crate) fn complaint(text: &str) {
    let _unheard = writeln!(io::stderr().lock(), "{text}");
}
