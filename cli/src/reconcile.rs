//! `tidegate reconcile`.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tidegate_core::Timestamp;
use tidegate_driver::reconcile::{Account, Difference, Reconciliation, What, reconcile};

use crate::config::{self, moment};
use crate::{Format, refuse, tell};

/// What `tidegate reconcile --help` ends with.
const HELP: &str = "\
Exit codes: 0 the ledger and the provider agree, 1 they do not, 2 bad input or no answer.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct ReconcileArguments {
    /// The configuration file of the live host.
    config: PathBuf,
    /// The group; may be left out if there is one alone.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// From when on, as RFC 3339; from the oldest that is kept if absent.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Where the state is kept, a file or the address of a database, in place of what the
    /// configuration says.
    #[arg(long, value_name = "PLACE")]
    store: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// `tidegate reconcile`: whether the ledger and the provider say the same.
pub(crate) fn run(arguments: &ReconcileArguments) -> ExitCode {
    let (place, name) = (arguments.store.as_deref(), arguments.group.as_deref());
    let (config, store, group) = match config::read_with_group(&arguments.config, place, name) {
        Ok(read) => read,
        Err(code) => return code,
    };
    match reconcile(&config, &store, &group, arguments.since.unwrap_or_default()) {
        Ok(found) => {
            let agree = found.differences.is_empty();
            let code = if agree { ExitCode::SUCCESS } else { ExitCode::from(1) };
            tell(&shown(&found, arguments.format), code)
        }
        Err(why) => refuse::plain("nothing can be compared", &why),
    }
}

fn shown(found: &Reconciliation, format: Format) -> String {
    match format {
        Format::Json => format!("{}\n", serde_json::to_string_pretty(found).unwrap_or_default()),
        Format::Text => text(found),
    }
}

fn text(found: &Reconciliation) -> String {
    let (from, to) = (found.from.to_jiff(), found.to.to_jiff());
    let mut text = format!("{}  {from:.0} to {to:.0}\n", found.group);
    for Account { server, ledger, amount, provider } in &found.servers {
        let provider = provider.map_or_else(|| "no times".to_owned(), |span| span.to_string());
        // Writing into a string cannot fail.
        let _ = writeln!(text, "  {server}  ledger {ledger} ({amount})  provider {provider}");
    }
    if !found.tells_times {
        text += "  the provider tells no times of its own: only what runs now was compared\n";
    }
    text.extend(found.differences.iter().map(line));
    let _ = match found.differences.len() {
        0 => writeln!(text, "AGREE: the ledger and the provider say the same"),
        1 => writeln!(text, "DIFFER: 1 difference"),
        count => writeln!(text, "DIFFER: {count} differences"),
    };
    text
}

fn line(difference: &Difference) -> String {
    let Difference { server, what, from, to } = difference;
    let when = match to {
        Some(to) => format!("{:.3} to {:.3}", from.to_jiff(), to.to_jiff()),
        None => "now".to_owned(),
    };
    let what = match what {
        What::Unbilled => "ran and is on no line of the ledger",
        What::BilledWhileOff => "is on the ledger and was off",
        What::RunsUnbilled => "runs, and by the ledger it is off",
        What::OffButBilled => "is off, and by the ledger it runs",
    };
    format!("  {server}  {what}: {when}\n")
}
