//! Prometheus and Alertmanager with the rules and the receiver of a configuration.

use tidegate_driver::config::Config;
use tidegate_driver::rules::{alertmanager_file, rule_file};
use tokio::sync::watch;

use super::config::config;
use super::desk::Desk;
use crate::metrics::exporter;
use crate::support::{Folder, Running, eventually, free_port};

pub struct Stack {
    pub desk: Desk,
    prometheus: exporter::Stack,
    _folder: Folder,
    _alertmanager: Running,
}

/// Windows of a second.
fn hasty(url: &str, token: &str) -> String {
    config(url, token).replace("for = \"5m\"", "for = \"1s\"")
}

/// An Alertmanager with the `alertmanager.yml` and the `web.yml` of a folder.
pub fn alertmanager(folder: &Folder, port: u16) -> Running {
    let arguments = [
        format!("--config.file={}", folder.path("alertmanager.yml").display()),
        format!("--web.config.file={}", folder.path("web.yml").display()),
        format!("--storage.path={}", folder.path("alertmanager").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--cluster.listen-address=".to_owned(),
    ];
    let arguments = arguments.each_ref().map(String::as_str);
    Running::start("prometheus-alertmanager", &arguments, &folder.path("alertmanager.log"))
}

impl Stack {
    pub async fn start() -> Self {
        let parsed = |text: String| Config::parse(&text).unwrap_or_else(|why| panic!("{why:?}"));
        let rules = rule_file(&parsed(hasty("http://127.0.0.1:9090", "token"))).unwrap();
        let port = free_port();
        let prometheus = exporter::Stack::alerting(&rules, port).await;
        let url = prometheus.url();
        let desk = Desk::of(watch::Sender::default(), |token| hasty(&url, token)).await;
        let folder = Folder::new();
        let token = folder.write("token", super::desk::TOKEN);
        let file = alertmanager_file(&parsed(hasty(&url, token.to_str().unwrap()))).unwrap();
        let file = file
            .replace("route:\n", "route:\n  receiver: tidegate\n")
            .replace("group_interval: 30s", "group_interval: 1s")
            .replace("127.0.0.1:0/", &format!("127.0.0.1:{}/", desk.port));
        folder.write("alertmanager.yml", &file);
        folder.write("web.yml", "");
        let alertmanager = alertmanager(&folder, port);
        Self { desk, prometheus, _folder: folder, _alertmanager: alertmanager }
    }

    /// The configuration whose rules are loaded.
    pub fn config(&self) -> String {
        hasty(&self.prometheus.url(), "token")
    }

    /// Lets both servers be as busy as this.
    pub fn load(&self, cpu: f64) {
        self.prometheus
            .expose(&format!("cpu{{server=\"one\"}} {cpu}\ncpu{{server=\"two\"}} {cpu}\n"));
    }

    pub async fn until_firing(&self, fires: bool) {
        let firing = "ALERTS{alertname=\"TidegateScaleUp\",alertstate=\"firing\"}";
        eventually("the alert", async || {
            (self.prometheus.query(firing).await == fires).then_some(())
        })
        .await;
    }
}
