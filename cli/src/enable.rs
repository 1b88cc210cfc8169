//! `tidegate enable` and `tidegate disable`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tidegate_core::Timestamp;
use tidegate_driver::config::Config;
use tidegate_driver::doctor::Finding;
use tidegate_driver::enable::{self as driver, EnableError, How, Report};
use tidegate_driver::runtime::{Event, HostEvent, Listener};
use tidegate_driver::store::Place;

use crate::live::Log;
use crate::{config, doctor, print, refuse};

/// Which group.
#[derive(Debug, Args)]
struct Which {
    /// The configuration file of live mode.
    config: PathBuf,
    /// The group.
    group: String,
    /// The file in which the state is kept, in place of the configuration's `store.path`.
    #[arg(long, value_name = "PATH")]
    store: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct EnableArguments {
    #[command(flatten)]
    which: Which,
    /// Lets the standbys join the proxy and get requests, instead of seeing whether it knows them.
    #[arg(long)]
    with_traffic: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DisableArguments {
    #[command(flatten)]
    which: Which,
    /// Scales the group down before, if it is scaled up.
    #[arg(long)]
    force: bool,
}

/// `tidegate enable`: a line a step. What was done is not done again by the next run.
pub(crate) fn enable(arguments: &EnableArguments) -> ExitCode {
    arguments.which.work(|config, store, group, report| {
        driver::enable(config, store, group, arguments.with_traffic, report)
    })
}

/// `tidegate disable`: the same.
pub(crate) fn disable(arguments: &DisableArguments) -> ExitCode {
    arguments.which.work(|config, store, group, report| {
        driver::disable(config, store, group, arguments.force, report)
    })
}

impl Which {
    fn work(
        &self,
        work: impl FnOnce(&Config, &Place, &str, Arc<dyn Report>) -> Result<(), EnableError>,
    ) -> ExitCode {
        let read = config::read_with_store(&self.config, self.store.as_deref());
        let (config, store) = match read {
            Ok(read) => read,
            Err(code) => return code,
        };
        match work(&config, &store, &self.group, Arc::new(Told)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why @ EnableError::Unknown(_)) => {
                refuse::option(&why.to_string(), "name one of its `[[group]]`")
            }
            Err(EnableError::Ports(why)) => refuse::plain(&why.to_string(), &*why.source),
            Err(
                why @ (EnableError::Leased(_)
                | EnableError::Failed { .. }
                | EnableError::Held(_)
                | EnableError::InUse(_)),
            ) => {
                print::complaint(&format!("error: {why}"));
                ExitCode::from(1)
            }
            Err(
                why @ (EnableError::Runtime(_)
                | EnableError::Store(_)
                | EnableError::Fault(_)
                | EnableError::Ended(_)),
            ) => refuse::fault(&why),
        }
    }
}

/// Tells each step on standard output as it ends, and what happens meanwhile on standard error.
struct Told;

impl Listener for Told {
    fn tell(&self, at: Timestamp, group: &str, event: &Event<'_>) {
        Log.tell(at, group, event);
    }

    fn tell_of_host(&self, at: Timestamp, event: &HostEvent<'_>) {
        Log.tell_of_host(at, event);
    }
}

impl Report for Told {
    fn ended(&self, step: &str, how: &How) {
        say(&match how {
            How::Done => format!("  ok      {step}\n"),
            How::Before => format!("  before  {step}\n"),
            How::Failed(why) => format!("  FAILED  {step}: {why}\n"),
        });
    }

    fn found(&self, finding: &Finding) {
        say(&doctor::line(finding));
    }
}

/// Whoever does not listen any more does not keep the group from being set up.
fn say(text: &str) {
    let _unheard = print::result(text);
}
