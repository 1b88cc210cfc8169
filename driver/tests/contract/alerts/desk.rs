//! A live host's server with the alerts of one group, in front of a Prometheus that says what a
//! test wants it to.

use std::sync::{Arc, Mutex};

use tidegate_core::{Alert, Span, Timestamp};
use tidegate_driver::adapters::alertmanager::{Alertmanager, Inboxes};
use tidegate_driver::adapters::prometheus::PrometheusAlerts;
use tidegate_driver::clock::{Clock, SystemClock};
use tidegate_driver::config::{Config, PortsFile};
use tidegate_driver::http::Server;
use tidegate_driver::ports::Alerts;
use tidegate_driver::runtime::{Event, HostEvent, Listener};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::config::config;
use crate::support::{Folder, clock};

pub const TOKEN: &str = "s3cret";
const NOTHING: &str = r#"{"status":"success","data":{"alerts":[]}}"#;

/// Keeps what is told of alerts.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Listener for Heard {
    fn tell_of_host(&self, _: Timestamp, _: &HostEvent<'_>) {}

    fn tell(&self, _: Timestamp, _: &str, event: &Event<'_>) {
        let line = match event {
            Event::AlertLeftOut { why } => (*why).to_owned(),
            Event::Blind { what, why } => format!("{what}: {why}"),
            Event::SeesAgain { what } => (*what).to_owned(),
            Event::TakenUp { .. }
            | Event::Asked { .. }
            | Event::Stepped { .. }
            | Event::Ended { .. }
            | Event::Dropped { .. }
            | Event::NotEnabled => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

pub struct Desk {
    _folder: Folder,
    pub port: u16,
    pub alerts: Arc<Alertmanager>,
    heard: Arc<Heard>,
    serving: Mutex<Option<(Server, Arc<Inboxes>)>>,
    prometheus: watch::Sender<String>,
}

/// An alert as Alertmanager and Prometheus tell of it.
#[derive(Clone, Debug)]
pub struct Sent {
    status: &'static str,
    since: Timestamp,
}

impl Sent {
    /// One that began to fire a second ago.
    pub fn firing() -> Self {
        Self { status: "firing", since: SystemClock.now() - Span::from_secs(1) }
    }

    pub fn resolved(&self) -> Self {
        Self { status: "resolved", ..self.clone() }
    }

    fn labels() -> &'static str {
        "{\"alertname\":\"TidegateScaleUp\",\"tidegate_group\":\"school\",\
         \"tidegate_rule\":\"0\",\"tidegate_condition\":\"cpu > 75% for 5m\"}"
    }

    pub fn body(&self) -> String {
        let (status, labels) = (self.status, Self::labels());
        let since = self.since.to_jiff();
        format!(
            "{{\"version\":\"4\",\"alerts\":[{{\"status\":\"{status}\",\"fingerprint\":\"f\",\
             \"labels\":{labels},\"startsAt\":\"{since}\"}}]}}"
        )
    }

    /// Prometheus' answer while it fires.
    fn held(&self) -> String {
        let active = (self.since - Span::from_mins(5)).to_jiff();
        let labels = Self::labels();
        format!(
            "{{\"status\":\"success\",\"data\":{{\"alerts\":[{{\"labels\":{labels},\
             \"state\":\"firing\",\"activeAt\":\"{active}\"}}]}}}}"
        )
    }
}

/// A Prometheus with this answer to everything; with none it hangs up.
async fn answer(listener: TcpListener, text: watch::Receiver<String>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let body = text.borrow().clone();
        if !body.is_empty() {
            let _ = stream.write_all(format!("HTTP/1.0 200 OK\r\n\r\n{body}").as_bytes()).await;
        }
    }
}

impl Desk {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let prometheus = watch::Sender::new(NOTHING.to_owned());
        tokio::spawn(answer(listener, prometheus.subscribe()));
        Self::of(prometheus, |token| config(&url, token)).await
    }

    /// The desk of a configuration, which is told where the token lies.
    pub async fn of(prometheus: watch::Sender<String>, text: impl Fn(&str) -> String) -> Self {
        let folder = Folder::new();
        let token = folder.write("token", &format!("{TOKEN}\n"));
        let config = Config::parse(&text(token.to_str().unwrap()));
        let config = config.unwrap_or_else(|why| panic!("{why:?}"));
        let heard = Arc::new(Heard::default());
        let listener: Arc<dyn Listener> = heard.clone();
        let inboxes = Arc::new(config.inboxes(&clock(), &listener));
        let inbox = Arc::clone(inboxes.of("school").unwrap());
        let PortsFile::Servers(servers) = &config.group[0].ports else { panic!() };
        let checked = PrometheusAlerts::new(&servers.prometheus).unwrap();
        let alerts = Arc::new(Alertmanager::new(inbox, checked, clock()));
        let server = Server::listen(config.http.as_ref().unwrap()).await.unwrap();
        let port = server.address().unwrap().port();
        let serving = Mutex::new(Some((server, inboxes)));
        Self { _folder: folder, port, alerts, heard, serving, prometheus }
    }

    /// Answers from now on.
    pub fn serve(&self) {
        if let Some((server, inboxes)) = self.serving.lock().unwrap().take() {
            tokio::spawn(server.serve(inboxes, None));
        }
    }

    /// Lets Prometheus say that it fires.
    pub fn fires(&self, sent: &Sent) {
        self.prometheus.send_replace(sent.held());
    }

    /// Lets Prometheus not answer.
    pub fn fails(&self) {
        self.prometheus.send_replace(String::new());
    }

    pub fn told(&self) -> Vec<String> {
        self.heard.0.lock().unwrap().clone()
    }

    pub fn told_last(&self) -> String {
        self.told().pop().unwrap_or_default()
    }

    /// What comes of `act`, and the alerts that are given to a host until it has.
    pub async fn given_to<T>(&self, act: impl AsyncFnOnce() -> T) -> (T, Vec<Alert>) {
        let mut alerts = Vec::new();
        let host = async {
            loop {
                alerts.extend(self.alerts.next().await);
            }
        };
        let done = tokio::select! {
            done = act() => done,
            () = host => unreachable!(),
        };
        (done, alerts)
    }

    pub async fn send(&self, sent: &Sent) -> u16 {
        self.post(TOKEN, &sent.body()).await.0
    }

    /// The status and the text of the answer.
    pub async fn post(&self, token: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let head = format!("Authorization: Bearer {token}\r\nContent-Length: {length}\r\n");
        self.exchange("POST /alerts", &head, body).await
    }

    pub async fn ask(&self, line: &str) -> u16 {
        self.exchange(line, "", "").await.0
    }

    async fn exchange(&self, line: &str, head: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let request =
            format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{head}\r\n{body}");
        // A body that is too long need not be read to its end.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let text = answer.split_once("\r\n\r\n").map_or("", |(_, text)| text);
        (status.unwrap_or_default(), text.to_owned())
    }
}
