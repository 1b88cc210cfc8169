//! Whether the upstream file and nginx's own configuration are as they must be.

mod configuration;

use tidegate_core::{ServerId, Span};

use super::conf::tree;
use super::files::BEFORE;
use super::upstream::Upstream;
use super::{Nginx, NginxConfig};
use crate::adapters::program;
use crate::doctor::Finding;
use crate::doctor::proxy::{missing, no_slow_start, primary_weight, warn};

use configuration::configuration;

impl Nginx {
    /// Whether the file has a line for each server, the primary's of this weight, and whether nginx
    /// includes it and does with requests what scaling needs. Nothing is changed.
    pub(crate) async fn examine(&self, weight: u16, slow_start: Span) -> Vec<Finding> {
        let mut findings = vec![no_slow_start("nginx", slow_start)];
        // A file that cannot be read is told by the port.
        if let Ok(upstream) = self.files.read() {
            findings.extend(lines(&self.config, &upstream, weight));
        }
        if self.files.before().is_ok_and(|before| before.is_some()) {
            let file = self.config.file.display();
            findings.push(warn(
                "a change of the upstream file was begun, and nobody saw nginx work by it",
                format!(
                    "let a live host go on with it; without one, reload nginx and remove \
                     `{file}{BEFORE}`"
                ),
            ));
        }
        findings.extend(self.printed().await);
        findings
    }

    async fn printed(&self) -> Vec<Finding> {
        let advice = "correct it, or name a command that prints it as `nginx.dump`";
        match program::ended(&self.config.dump, "").await {
            Ok(ended) if ended.status.success() => {
                configuration(&self.config, &tree(&String::from_utf8_lossy(&ended.stdout)))
            }
            Ok(ended) => {
                let errors = String::from_utf8_lossy(&ended.stderr);
                let said = errors.lines().find(|line| line.contains("[emerg]"));
                let said = said.or(errors.lines().last()).unwrap_or_default();
                vec![missing(format!("nginx does not print its configuration: {said}"), advice)]
            }
            Err(why) => vec![missing(format!("failed to {why}"), advice)],
        }
    }
}

/// What is to be said of each server's line.
fn lines(config: &NginxConfig, upstream: &Upstream, weight: u16) -> Vec<Finding> {
    let of = |(server, address): (u16, &String)| {
        let line = match upstream.line(address) {
            Ok(line) => line,
            Err(why) => {
                let advice = "write one line for each server, a standby's with `down`";
                return Some(missing(why.what, advice));
            }
        };
        if line.is_backup {
            return Some(missing(
                format!("the line of `{address}` says `backup`"),
                "take it away: it gets no requests while another server does",
            ));
        }
        let is_primary = ServerId(server).is_primary();
        is_primary.then(|| primary_weight(address, line.weight, weight))
    };
    (0..).zip(&config.servers).filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    pub fn config() -> NginxConfig {
        toml::from_str(
            "file = \"/srv/none/app.conf\"\nupstream = \"app\"\n\
             servers = [\"10.0.0.1:80\", \"10.0.0.2:80\"]\n\
             access_log = \"/var/log/nginx/app.log\"\n",
        )
        .unwrap()
    }

    #[test]
    fn each_server_has_a_line_of_its_own() {
        let told = |text: &str| lines(&config(), &Upstream(text.to_owned()), 100);
        let good = "server 10.0.0.1:80 weight=100;\nserver 10.0.0.2:80 down;\n";
        let found = told(good);
        assert_eq!((found.len(), found[0].verdict), (1, Verdict::Ok));
        assert_eq!(told(&good.replace("100", "1"))[0].verdict, Verdict::Warn);
        assert!(told(&good.replace("down", "backup"))[1].found.contains("`backup`"));
        assert!(told("")[1].found.contains("has no line `server 10.0.0.2:80"));
    }
}
