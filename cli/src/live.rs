//! `tidegate live`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tidegate_core::record::LocalTime;
use tidegate_core::{TimeZone, Timestamp};
use tidegate_driver::http::HttpError;
use tidegate_driver::live::{Control, LiveError, live};
use tidegate_driver::runtime::{Event, HostEvent, Listener, Mode};
use tidegate_driver::words;

use crate::{config, interrupt, print, refuse};

const MILLISECOND: i64 = 1_000_000;

#[derive(Debug, Args)]
pub(crate) struct LiveArguments {
    /// The configuration file.
    config: PathBuf,
    /// Decides and records, and acts on nothing.
    #[arg(long)]
    shadow: bool,
    /// Where the state is kept, a file or the address of a database, in place of what the
    /// configuration says.
    #[arg(long, value_name = "PLACE")]
    store: Option<PathBuf>,
}

/// `tidegate live`: until a signal stops it, or a fault.
pub(crate) fn run(arguments: &LiveArguments) -> ExitCode {
    let read = config::read_with_store(&arguments.config, arguments.store.as_deref());
    let (config, store) = match read {
        Ok(read) => read,
        Err(code) => return code,
    };
    let mode = if arguments.shadow { Mode::Shadow } else { Mode::Act };
    match live(&config, &store, mode, Arc::new(Log), stop_on_signal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(LiveError::Ports(why)) => refuse::plain(&why.to_string(), &*why.source),
        Err(LiveError::Http(why @ HttpError::Token(_))) => {
            refuse::plain(&why.to_string(), why.source().unwrap_or(&why))
        }
        Err(fault) => refuse::fault(&fault),
    }
}

/// The first signal lets the host finish what it is writing, a second one does not.
fn stop_on_signal(host: Control) {
    interrupt::stop_with(move || {
        print::complaint("stopping: what is under way is left to the next start");
        host.stop();
    });
}

/// Tells on standard error what happens, a line each, by the clock of Greenwich.
pub(crate) struct Log;

impl Listener for Log {
    fn tell(&self, at: Timestamp, group: &str, event: &Event<'_>) {
        let now = local(at);
        for line in words::lines(event) {
            print::complaint(&format!("{now} {group}: {line}"));
        }
    }

    fn tell_of_host(&self, at: Timestamp, event: &HostEvent<'_>) {
        print::complaint(&format!("{} {}", local(at), words::of_host(event)));
    }
}

fn local(at: Timestamp) -> LocalTime {
    let whole = Timestamp::from_nanos(at.as_nanos() - at.as_nanos() % MILLISECOND);
    LocalTime::new(whole, &TimeZone::UTC)
}
