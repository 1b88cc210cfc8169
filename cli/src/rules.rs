//! `tidegate rules`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tidegate_driver::rules::{alertmanager_file, rule_file};

use crate::command::CommandLine;
use crate::{config, refuse, tell};

#[derive(Debug, Args)]
pub(crate) struct RulesArguments {
    /// The configuration file of live mode.
    config: PathBuf,
    /// Prints the route and the receiver for Alertmanager's file instead.
    #[arg(long)]
    alertmanager: bool,
}

/// `tidegate rules`: what Prometheus or Alertmanager is to read.
pub(crate) fn run(arguments: &RulesArguments) -> ExitCode {
    let config = match config::read(&arguments.config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let made = CommandLine::new("rules").path(&arguments.config);
    let (file, head) = if arguments.alertmanager {
        let made = made.flag("--alertmanager");
        let head = format!(
            "# Made by `{made}`\n\
             # for Alertmanager's own file. The token is that of `[http]`.\n"
        );
        (alertmanager_file(&config), head)
    } else {
        let receiver = made.clone().flag("--alertmanager");
        let head = format!(
            "# Made by `{made}`\n\
             # for `rule_files` of Prometheus. Make it anew whenever the policy changes.\n\
             # Alertmanager's part: `{receiver}`\n"
        );
        (rule_file(&config), head)
    };
    match file {
        Ok(file) => tell(&format!("{head}{file}"), ExitCode::SUCCESS),
        Err(why) => {
            let path = arguments.config.display();
            refuse::plain(&format!("{path} has no rules for Prometheus"), &why)
        }
    }
}
