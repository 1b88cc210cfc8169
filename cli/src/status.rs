//! `tidegate status`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tidegate_driver::http::api::Groups;
use tidegate_driver::http::client::Client;
use tidegate_driver::http::view::GroupView;

use crate::ask::refuse_client;
use crate::{Format, config, tell};

#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The configuration file of the live host.
    config: PathBuf,
    /// One group, with what happened last and who asked what. All are shown without it.
    group: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// `tidegate status`: how groups are.
pub(crate) fn run(arguments: &StatusArguments) -> ExitCode {
    let config = match config::read(&arguments.config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let asked = Client::new(config.http.as_ref())
        .and_then(|client| client.status(arguments.group.as_deref()));
    match asked {
        Ok(groups) => tell(&shown(&groups, arguments.format), ExitCode::SUCCESS),
        Err(why) => refuse_client(&why),
    }
}

fn shown(groups: &Groups, format: Format) -> String {
    match format {
        Format::Text => groups.groups.iter().flat_map(lines).map(|line| line + "\n").collect(),
        Format::Json => {
            let text = serde_json::to_string_pretty(groups).unwrap_or_default();
            format!("{text}\n")
        }
    }
}

fn lines(group: &GroupView) -> Vec<String> {
    let (name, at, line) = (&group.name, group.at, group.line);
    let (serving, count) = (group.serving(), group.servers.len());
    let mut lines = vec![format!("{name}: {serving} of {count} serve, at {at}, line {line}")];
    let mut part = |head: &str, parts: Vec<String>| {
        lines.extend(parts.into_iter().map(|part| format!("  {head}: {part}")));
    };
    let stage = |server: &tidegate_driver::http::view::ServerView| {
        format!("{} {}", server.name, server.stage.name())
    };
    part("servers", vec![group.servers.iter().map(stage).collect::<Vec<_>>().join(", ")]);
    part("paused", group.paused_until.iter().map(|until| format!("until {until}")).collect());
    part("decision", group.decision.clone());
    let demands = group.demands.iter();
    part("demand", demands.map(|one| format!("{}: {}", one.by, one.words())).collect());
    let requests = group.requests.iter();
    part(
        "request",
        requests.map(|one| format!("{} {} asked {}", one.at, one.who, one.what)).collect(),
    );
    part("event", group.events.iter().map(|one| format!("{} {}", one.at, one.what)).collect());
    lines
}
