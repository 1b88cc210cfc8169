//! `tidegate ask`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use tidegate_core::Span;
use tidegate_driver::http::client::{Client, ClientError};
use tidegate_driver::http::request::{Action, Wish};

use crate::{config, refuse, tell};

/// What may be asked.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// More servers than now.
    ScaleUp,
    /// Fewer servers than now.
    ScaleDown,
    /// Neither rules nor schedules start anything for a time; people still may.
    Pause,
    /// Ends a pause and what people asked for before.
    Resume,
}

impl From<What> for Action {
    fn from(what: What) -> Self {
        match what {
            What::ScaleUp => Self::ScaleUp,
            What::ScaleDown => Self::ScaleDown,
            What::Pause => Self::Pause,
            What::Resume => Self::Resume,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct AskArguments {
    /// The configuration file of the live host.
    config: PathBuf,
    /// The group.
    group: String,
    /// What for.
    what: What,
    /// How many servers.
    #[arg(long, value_name = "N")]
    by: Option<u16>,
    /// For how long: `1h`. If it is left out, as long as the policy says.
    #[arg(long, value_name = "TIME")]
    hold: Option<Span>,
    /// Until when: `2026-03-02T08:30:00Z` or `2026-03-02T08:30[Asia/Kolkata]`.
    #[arg(long, value_name = "TIME", conflicts_with = "hold")]
    until: Option<String>,
    /// Who asks.
    #[arg(long, value_name = "NAME", env = "USER")]
    who: String,
}

/// `tidegate ask`: once this ends well, the request is on disk.
pub(crate) fn run(arguments: &AskArguments) -> ExitCode {
    let config = match config::read(&arguments.config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let AskArguments { by, hold, until, who, .. } = arguments;
    let wish = Wish { who: who.clone(), by: *by, hold: *hold, until: until.clone() };
    let asked = Client::new(config.http.as_ref())
        .and_then(|client| client.ask(&arguments.group, arguments.what.into(), &wish));
    match asked {
        Ok(answer) => tell(&format!("{}\n", answer.says.join("\n")), ExitCode::SUCCESS),
        Err(why) => refuse_client(&why),
    }
}

/// Tells why a live host gave no answer: exit code 2 where something else is to be asked, 3 where
/// the host is at fault.
pub(crate) fn refuse_client(why: &ClientError) -> ExitCode {
    match why {
        ClientError::Closed => refuse::option(
            &why.to_string(),
            "give it one, `token = { file = PATH }`, and start the host anew",
        ),
        ClientError::Refused(why) => refuse::option(why, "`tidegate ask --help` says what may be"),
        ClientError::Token(source) => refuse::plain(&why.to_string(), source),
        ClientError::Runtime(_) | ClientError::Host { .. } => refuse::fault(why),
    }
}
