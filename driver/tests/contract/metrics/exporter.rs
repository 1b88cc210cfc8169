//! A Prometheus that scrapes what a test exposes.

use std::process::Command;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::{Folder, Running, certificates, eventually, free_port};

/// The certificate that is shown.
const TLS: &str = "tls_server_config: {cert_file: own, key_file: own.key}\n";

pub struct Stack {
    pub folder: Folder,
    _prometheus: Running,
    port: u16,
    text: watch::Sender<String>,
    exporter: Arc<Mutex<JoinSet<()>>>,
}

async fn expose(listener: TcpListener, text: watch::Receiver<String>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let body = text.borrow().clone();
        let head = "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\r\n";
        let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    }
}

impl Stack {
    pub async fn start() -> Self {
        Self::with(Folder::new(), "", "", "").await.scraping().await
    }

    /// One that speaks TLS alone, shows the certificate of its folder, and tells the Alertmanager
    /// at this port of `localhost`, which does the same. It may not answer yet.
    pub async fn encrypted(alertmanager: u16) -> Self {
        let folder = Folder::new();
        certificates::make(&folder.path(""), || Command::new("openssl"));
        let told = format!(
            "{{scheme: https, static_configs: [{{targets: [\"localhost:{alertmanager}\"]}}]}}"
        );
        Self::with(folder, TLS, "", &told).await
    }

    /// One that evaluates rules, and tells the Alertmanager at this port.
    pub async fn alerting(rules: &str, alertmanager: u16) -> Self {
        let told = format!("{{static_configs: [{{targets: [\"127.0.0.1:{alertmanager}\"]}}]}}");
        Self::with(Folder::new(), "", rules, &told).await.scraping().await
    }

    async fn with(folder: Folder, web: &str, rules: &str, told: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        let text = watch::Sender::new(String::new());
        let mut exporter = JoinSet::new();
        exporter.spawn(expose(listener, text.subscribe()));
        let file = folder.write(
            "prometheus.yml",
            &format!(
                "global: {{scrape_interval: 100ms, scrape_timeout: 100ms, \
                 evaluation_interval: 200ms}}\n\
                 rule_files: [rules.yml]\n\
                 alerting: {{alertmanagers: [{told}]}}\n\
                 scrape_configs:\n\
                 - {{job_name: test, static_configs: [{{targets: [\"{target}\"]}}]}}\n"
            ),
        );
        folder.write("rules.yml", rules);
        let port = free_port();
        let arguments = [
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", folder.path("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--rules.alert.resend-delay=1s".to_owned(),
            format!("--web.config.file={}", folder.write("web.yml", web).display()),
        ];
        let arguments = arguments.each_ref().map(String::as_str);
        let prometheus = Running::start("prometheus", &arguments, &folder.path("prometheus.log"));
        let exporter = Arc::new(Mutex::new(exporter));
        Self { folder, _prometheus: prometheus, port, text, exporter }
    }

    async fn scraping(self) -> Self {
        eventually("Prometheus scrapes", async || self.query("up == 1").await.then_some(())).await;
        self
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its address by TLS, under one of its names.
    pub fn url_over_tls(&self, name: &str) -> String {
        format!("https://{name}:{}", self.port)
    }

    /// Lets this be scraped from then on.
    pub fn expose(&self, text: &str) {
        self.text.send_replace(text.to_owned());
    }

    pub fn stop_exporter(&self) {
        self.exporter.lock().unwrap().abort_all();
    }

    /// Whether an expression has a series.
    pub async fn query(&self, expression: &str) -> bool {
        let asked = async {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
            let text = expression.replace(' ', "%20").replace('=', "%3D");
            let request = format!("GET /api/v1/query?query={text} HTTP/1.0\r\n\r\n");
            stream.write_all(request.as_bytes()).await.ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.ok()?;
            Some(answer.contains("\"value\""))
        };
        asked.await.unwrap_or_default()
    }
}
