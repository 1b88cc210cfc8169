//! The programs that run beside the servers.

use crate::staging::config::{self, Alerting};
use crate::staging::controller;
use crate::staging::failure::{Failure, write};
use crate::staging::host::{Host, folder};

use super::Stack;

impl Stack {
    /// Redis, which keeps nothing on disk.
    pub(super) fn start_redis(&mut self) -> Result<(), Failure> {
        let folder = folder().display().to_string();
        let socket = format!("{folder}/redis.sock");
        let address = Host::App1.address();
        let words = ["redis-server", "--bind", address, "--protected-mode", "no", "--save", ""];
        let more = ["--unixsocket", &*socket, "--dir", &folder];
        self.start(Host::App1, "redis", &[&words[..], &more].concat())
    }

    pub(super) fn start_proxy(&mut self) -> Result<(), Failure> {
        let file = config::haproxy(self.broken)?.display().to_string();
        self.start(Host::Proxy, "haproxy", &["haproxy", "-db", "-f", &file])
    }

    /// Prometheus, and where the policy wants alerts its rules and Alertmanager.
    pub(super) fn start_monitoring(&mut self, alerting: Alerting) -> Result<(), Failure> {
        if alerting == Alerting::On {
            let config = controller::config();
            let rules = controller::printed(&["rules", &config])?;
            write(&folder().join("rules.yml"), rules)?;
            self.start_alertmanager(&config)?;
        }
        let file = format!("--config.file={}", config::prometheus(alerting)?.display());
        let data = format!("--storage.tsdb.path={}/prometheus", folder().display());
        let listen = format!("--web.listen-address={}:9090", Host::Mon.address());
        let soon = ["--rules.alert.resend-delay=2s", "--rules.alert.for-grace-period=0s"];
        let words = ["prometheus", &file, &data, &listen];
        self.start(Host::Mon, "prometheus", &[&words[..], &soon].concat())
    }

    fn start_alertmanager(&mut self, config: &str) -> Result<(), Failure> {
        let part = controller::printed(&["rules", config, "--alertmanager"])?;
        // All else goes nowhere: the only receiver that there is. Seconds stand for minutes here.
        let text = part.replacen("route:\n", "route:\n  receiver: tidegate\n", 1);
        let text = text.replace("group_interval: 30s", "group_interval: 2s");
        let file = folder().join("alertmanager.yml");
        write(&file, text)?;
        let file = format!("--config.file={}", file.display());
        let data = format!("--storage.path={}/alertmanager", folder().display());
        let listen = format!("--web.listen-address={}:9093", Host::Mon.address());
        let words = ["prometheus-alertmanager", &file, &data, &listen];
        self.start(
            Host::Mon,
            "alertmanager",
            &[&words[..], &["--cluster.listen-address="]].concat(),
        )
    }
}
