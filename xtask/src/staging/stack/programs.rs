//! The programs that run beside the servers.

use crate::staging::config::{self, Alerting};
use crate::staging::controller;
use crate::staging::failure::{Failure, write};
use crate::staging::faults::Delivery;
use crate::staging::host::{Host, folder};
use crate::staging::{postman, spawn, vm};

use super::Stack;
use super::proxy::socket;

const PROXY: &str = "haproxy";

impl Stack {
    /// Redis, which has on disk what it was told up to a second ago, and all when it is ended.
    pub(in crate::staging) fn start_redis(&mut self) -> Result<(), Failure> {
        let folder = folder().display().to_string();
        let socket = format!("{folder}/redis.sock");
        let address = Host::App1.address();
        let words = ["redis-server", "--bind", address, "--protected-mode", "no", "--save", ""];
        let more = ["--unixsocket", &*socket, "--dir", &folder, "--appendonly", "yes"];
        self.start(Host::App1, "redis", &[&words[..], &more].concat())
    }

    /// The storage, for machines that have no other way to it.
    pub(super) fn start_storage(&mut self) -> Result<(), Failure> {
        let words = vm::storage_server();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        self.start(Host::App1, "storage", &words)
    }

    pub(super) fn start_proxy(&mut self) -> Result<(), Failure> {
        let file = config::haproxy(self.broken)?.display().to_string();
        self.start(Host::Proxy, PROXY, &["haproxy", "-db", "-f", &file])
    }

    /// Starts the proxy anew: the one that was there answers what it has and ends.
    pub(in crate::staging) fn replace_proxy(&mut self) -> Result<(), Failure> {
        let Some((name, old)) = self.children.iter_mut().find(|(name, _)| name == PROXY) else {
            return Ok(());
        };
        name.push_str(".old");
        let pid = old.id().to_string();
        let file = folder().join("haproxy.cfg").display().to_string();
        let socket = socket().display().to_string();
        // With the listening sockets of the old one, so that no connection is refused in between.
        let words = ["haproxy", "-db", "-f", &file, "-x", &socket, "-sf", &pid];
        self.start(Host::Proxy, PROXY, &words)
    }

    /// Prometheus, and where the policy wants alerts its rules and Alertmanager.
    pub(super) fn start_monitoring(
        &mut self,
        alerting: Alerting,
        delivery: Delivery,
    ) -> Result<(), Failure> {
        if alerting == Alerting::On {
            let config = controller::config();
            let rules = controller::printed(&["rules", &config])?;
            write(&folder().join("rules.yml"), rules)?;
            self.start_alertmanager(&config, delivery)?;
        }
        let file = format!("--config.file={}", config::prometheus(alerting)?.display());
        let data = format!("--storage.tsdb.path={}/prometheus", folder().display());
        let listen = format!("--web.listen-address={}:9090", Host::Mon.address());
        let soon = ["--rules.alert.resend-delay=2s", "--rules.alert.for-grace-period=0s"];
        let words = ["prometheus", &file, &data, &listen];
        self.start(Host::Mon, "prometheus", &[&words[..], &soon].concat())
    }

    fn start_alertmanager(&mut self, config: &str, delivery: Delivery) -> Result<(), Failure> {
        let part = controller::printed(&["rules", config, "--alertmanager"])?;
        // All else goes nowhere: the only receiver that there is. Seconds stand for minutes here.
        let text = part.replacen("route:\n", "route:\n  receiver: tidegate\n", 1);
        let mut text = text.replace("group_interval: 30s", "group_interval: 2s");
        if delivery.twice
            && let Some((_, again)) = text.clone().split_once("webhook_configs:\n")
        {
            text.push_str(again);
        }
        if let Some(late) = delivery.late {
            let [own, controller] =
                [postman::OWN, postman::CONTROLLER].map(|port| format!(":{port}/"));
            text = text.replace(&controller, &own);
            let (xtask, late) = (spawn::xtask()?, (late.as_nanos() / 1_000_000).to_string());
            self.start(Host::Mon, "postman", &[&*xtask, "staging", "postman", &late])?;
        }
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
