//! Ctrl-C: the first ends what is under way with a report of what was done, the second the program.

use std::process::{ExitCode, exit};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::print;

/// The exit code after Ctrl-C, as shells give it for a program that the signal ended.
const CODE: u8 = 130;

static ASKED: AtomicBool = AtomicBool::new(false);

/// From here on Ctrl-C sets [`asked`].
pub(crate) fn listen() {
    let end = || {
        if ASKED.swap(true, Ordering::Relaxed) {
            exit(CODE.into());
        }
    };
    if let Err(why) = ctrlc::set_handler(end) {
        print::complaint(&format!("note: Ctrl-C ends without a report: {why}"));
    }
}

/// From here on Ctrl-C does `tidy_up` and ends the program.
pub(crate) fn end_with(tidy_up: impl Fn() + Send + 'static) {
    let end = move || {
        tidy_up();
        exit(CODE.into());
    };
    if let Err(why) = ctrlc::set_handler(end) {
        print::complaint(&format!("note: Ctrl-C leaves files behind: {why}"));
    }
}

/// From here on the first signal does `stop`, and a second one ends the program.
pub(crate) fn stop_with(stop: impl Fn() + Send + 'static) {
    let end = move || {
        if ASKED.swap(true, Ordering::Relaxed) {
            exit(CODE.into());
        }
        stop();
    };
    if let Err(why) = ctrlc::set_handler(end) {
        print::complaint(&format!("note: signals end it at once: {why}"));
    }
}

/// Whether the person at the terminal has enough.
pub(crate) fn asked() -> &'static AtomicBool {
    &ASKED
}

/// The exit code: 1 if something failed, 130 if all that was done held but Ctrl-C ended it.
pub(crate) fn exit_code(held: bool) -> ExitCode {
    match (held, ASKED.load(Ordering::Relaxed)) {
        (false, _) => ExitCode::from(1),
        (true, true) => ExitCode::from(CODE),
        (true, false) => ExitCode::SUCCESS,
    }
}
