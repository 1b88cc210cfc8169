//! Clouds with a REST API, by the examples that ship.

pub mod cloud;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::future::BoxFuture;
use tidegate_core::{Failure, Power, ServerId, Span, Timestamp};
use tidegate_driver::adapters::http_provider::{HttpProvider, HttpProviderConfig, open};
use tidegate_driver::clock::{Clock, SystemClock};
use tidegate_driver::config::{Config, PortsFile};
use tidegate_driver::ports::{Accepted, Order, PortError, Provider};

use super::{STANDBY, becomes, changes, keeps_the_contract, power};
use crate::support::{Folder, ask, order};

use cloud::{Cloud, Instead, Shape, TOKEN};

/// A clock that a test may set forward.
#[derive(Debug, Default)]
struct Ahead(AtomicI64);

impl Ahead {
    fn by(&self, span: Span) {
        self.0.fetch_add(span.as_nanos(), Ordering::Relaxed);
    }
}

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now() + Span::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        SystemClock.sleep_until(at - Span::from_nanos(self.0.load(Ordering::Relaxed)))
    }
}

/// The example of a cloud, whose address, token and file are those of a test.
pub fn example(shape: Shape, port: u16, folder: &Folder) -> String {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let (name, url, version) = match shape {
        Shape::Hetzner => ("hetzner", "https://api.hetzner.cloud", "v1"),
        Shape::DigitalOcean => ("digitalocean", "https://api.digitalocean.com", "v2"),
    };
    let text = std::fs::read_to_string(docs.join(format!("live-{name}.toml"))).unwrap();
    let token = folder.write("token", TOKEN).display().to_string();
    let mut told = text.clone();
    for (from, to) in [
        (format!("{url}/{version}"), format!("http://127.0.0.1:{port}/{version}")),
        (format!("/etc/tidegate/{name}-token"), token),
        ("/var/lib/tidegate/power.jsonl".to_owned(), folder.path("power").display().to_string()),
        ("done = [".to_owned(), "poll = \"10ms\"\ndone = [".to_owned()),
    ] {
        assert!(told.contains(&from), "{from}");
        told = told.replace(&from, &to);
    }
    told
}

fn config(table: &str) -> HttpProviderConfig {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let servers = std::fs::read_to_string(docs.join("live-servers.toml")).unwrap();
    let (before, _) = servers.split_once("# The standby's machine: a command").unwrap();
    let config = Config::parse(&format!("{before}{table}")).unwrap_or_else(|why| panic!("{why:?}"));
    let PortsFile::Servers(servers) = &config.group[0].ports else { panic!("{table}") };
    servers.http.clone().unwrap()
}

struct Stage {
    folder: Folder,
    cloud: Cloud,
    clock: Arc<Ahead>,
    provider: HttpProvider,
}

impl Stage {
    async fn of(shape: Shape) -> Self {
        Self::with(shape, |_| {}).await
    }

    async fn with(shape: Shape, change: impl FnOnce(&mut HttpProviderConfig)) -> Self {
        let (folder, cloud) = (Folder::new(), Cloud::start(shape).await);
        let mut config = config(&example(shape, cloud.port, &folder));
        change(&mut config);
        let clock = Arc::new(Ahead::default());
        let provider = open(config, clock.clone()).unwrap();
        Self { folder, cloud, clock, provider }
    }

    fn order(&self, generation: u64) -> Order {
        Order { deadline: self.clock.now() + Span::from_mins(1), ..order(STANDBY, generation) }
    }

    async fn on(&self, generation: u64) -> Result<Accepted, PortError> {
        self.provider.power_on(self.order(generation)).await
    }

    async fn off(&self, generation: u64) -> Result<Accepted, PortError> {
        self.provider.power_off(self.order(generation)).await
    }

    /// What a look fails with whose questions are all answered so.
    async fn blind(&self, status: u16, body: &str) -> PortError {
        self.cloud.refuses(status, body);
        self.cloud.refuses(status, body);
        self.provider.power(ask()).await.unwrap_err()
    }
}

#[tokio::test]
async fn hetzner_keeps_the_contract() {
    let stage = Stage::of(Shape::Hetzner).await;
    keeps_the_contract(&stage.provider).await;
    assert_eq!(stage.cloud.orders(), ["poweron", "shutdown"], "each was ordered once");
}

#[tokio::test]
async fn digitalocean_keeps_the_contract() {
    let stage = Stage::of(Shape::DigitalOcean).await;
    keeps_the_contract(&stage.provider).await;
    assert_eq!(stage.cloud.orders(), ["power_on", "shutdown"], "each was ordered once");
}

#[tokio::test]
async fn what_starts_or_stops_is_not_ordered_again() {
    let stage = Stage::of(Shape::Hetzner).await;
    stage.cloud.becomes("starting");
    assert_eq!(stage.on(1).await, Ok(Accepted::Underway));
    stage.cloud.becomes("stopping");
    assert_eq!(stage.off(2).await, Ok(Accepted::Underway));
    let still = stage.on(3).await.unwrap_err();
    assert!(still.what.contains("still stops"), "{still}");
    assert_eq!(stage.cloud.orders(), Vec::<String>::new());
}

#[tokio::test]
async fn an_order_that_is_refused_for_what_is_so_meanwhile_is_done() {
    let stage = Stage::of(Shape::Hetzner).await;
    stage.cloud.becomes("running");
    stage.cloud.refuses(200, r#"{"server": {"status": "off"}}"#);
    stage.cloud.refuses(409, r#"{"error": {"code": "conflict"}}"#);
    assert_eq!(stage.on(1).await, Ok(Accepted::Underway));
    stage.cloud.refuses(200, r#"{"server": {"status": "off"}}"#);
    stage.cloud.refuses(423, r#"{"error": {"code": "locked", "message": "is locked"}}"#);
    stage.cloud.becomes("off");
    let locked = stage.on(2).await.unwrap_err();
    let told = "the cloud is at something else with `4712` (423): locked, is locked";
    assert_eq!((locked.failure, &*locked.what), (Failure::Refused, told));
}

#[tokio::test]
async fn a_server_that_does_not_shut_itself_down_is_cut_off_after_its_grace() {
    let stage = Stage::of(Shape::DigitalOcean).await;
    stage.cloud.becomes("active");
    stage.cloud.machine.lock().unwrap().obeys = false;
    for _ in 0..2 {
        assert_eq!(stage.off(1).await, Ok(Accepted::Underway));
        assert_eq!(power(&stage.provider).await, Power::On);
    }
    stage.clock.by(Span::from_mins(2));
    assert_eq!(stage.off(1).await, Ok(Accepted::Underway));
    becomes(&stage.provider, Power::Off).await;
    assert_eq!(stage.cloud.orders(), ["shutdown", "shutdown", "power_off"]);
    stage.cloud.becomes("active");
    stage.cloud.machine.lock().unwrap().obeys = true;
    stage.off(2).await.unwrap();
    let orders = stage.cloud.orders();
    assert_eq!(orders.last().map(String::as_str), Some("shutdown"), "it has its grace again");
}

#[tokio::test]
async fn a_cloud_that_asks_to_be_left_alone_is_left_alone() {
    let stage = Stage::of(Shape::DigitalOcean).await;
    let body = r#"{"id": "too_many_requests", "message": "API Rate limit exceeded."}"#;
    let headers = &[("retry-after", "29"), ("ratelimit-remaining", "0")];
    stage.cloud.instead(Instead::Answer(429, headers, body.to_owned()));
    let limited = stage.on(1).await.unwrap_err();
    assert_eq!(limited.failure, Failure::RateLimited);
    assert!(limited.what.contains("API Rate limit exceeded."), "{limited}");
    assert!(limited.what.contains("left alone for 29 s"), "{limited}");
    let asked = stage.cloud.asked();
    let again = stage.provider.power(ask()).await.unwrap_err();
    assert_eq!((again.failure, stage.cloud.asked()), (Failure::RateLimited, asked));
    stage.clock.by(Span::from_secs(30));
    assert_eq!(power(&stage.provider).await, Power::Off);
}

#[tokio::test]
async fn what_is_wrong_with_a_look_is_told_in_plain_words() {
    let stage = Stage::with(Shape::Hetzner, |one| one.timeout = Span::from_millis(200)).await;
    let unauthorized = r#"{"error": {"code": "unauthorized", "message": "no"}}"#;
    for (status, body, failure, what) in [
        (401, unauthorized, Failure::Refused, "does not accept the token (401)"),
        (500, "<html>", Failure::Refused, "the cloud broke (500)"),
        (503, "", Failure::Unreachable, "the cloud is not there (503)"),
        (302, "", Failure::Refused, "the cloud refuses it (302)"),
        (429, "", Failure::RateLimited, "too many requests (429)"),
        (200, "{\"server\": {\"status\":", Failure::Refused, "the cloud's answer is no JSON"),
        (200, "", Failure::Refused, "the answer about `4711` has no /server/status"),
        (200, r#"{"server": {}}"#, Failure::Refused, "has no /server/status"),
        (200, r#"{"server": {"status": "migrating"}}"#, Failure::Refused, "`4711` is `migrating`"),
    ] {
        let why = stage.blind(status, body).await;
        assert_eq!(why.failure, failure, "{why}");
        assert!(why.what.contains(what), "{why}");
    }
    stage.cloud.instead(Instead::Silence);
    stage.cloud.instead(Instead::Silence);
    let late = stage.provider.power(ask()).await.unwrap_err();
    assert_eq!(late.failure, Failure::TimedOut, "{late}");
    let endless = "x".repeat(2 << 20);
    assert!(stage.blind(200, &endless).await.what.contains("has no end"));
}

#[tokio::test]
async fn a_server_that_the_cloud_does_not_know_is_left_out_and_told_when_it_is_ordered() {
    let stage = Stage::with(Shape::Hetzner, |one| one.servers[1] = "9/9".to_owned()).await;
    let states = stage.provider.power(ask()).await.unwrap();
    let known: Vec<_> = states.iter().map(|one| (one.server, one.power.value)).collect();
    assert_eq!(known, [(ServerId::PRIMARY, Power::On)]);
    let unknown = stage.on(1).await.unwrap_err();
    assert_eq!(unknown.what, "the cloud knows no `9/9` (404): not_found, not_found");
    assert!(
        stage.cloud.machine.lock().unwrap().asked.contains(&"GET /v1/servers/9%2F9".to_owned())
    );
}

#[tokio::test]
async fn an_action_that_fails_is_an_order_that_failed_and_bills_nothing() {
    let stage = Stage::of(Shape::Hetzner).await;
    power(&stage.provider).await;
    stage.cloud.machine.lock().unwrap().fails = Some("resource_unavailable");
    let none = stage.on(1).await.unwrap_err();
    assert_eq!(none.failure, Failure::OutOfCapacity);
    let told = "the cloud has no machine to give for `4712`: resource_unavailable, Action failed";
    assert_eq!(none.what, told);
    stage.cloud.machine.lock().unwrap().fails = Some("action_failed");
    let broken = stage.on(1).await.unwrap_err();
    assert_eq!(broken.failure, Failure::Refused);
    assert_eq!(power(&stage.provider).await, Power::Off);
    assert_eq!(changes(&stage.provider).await, Vec::<bool>::new());
}

#[tokio::test]
async fn an_action_is_asked_again_whatever_the_answer_was_until_the_order_is_late() {
    let stage = Stage::of(Shape::Hetzner).await;
    stage.cloud.refuses(200, r#"{"server": {"status": "off"}}"#);
    stage.cloud.refuses(201, r#"{"action": {"id": 13, "status": "running"}}"#);
    stage.cloud.refuses(500, "");
    stage.cloud.refuses(200, "no JSON");
    stage.cloud.refuses(200, "[]");
    assert_eq!(stage.on(1).await, Ok(Accepted::Underway));
    let asked = stage.cloud.machine.lock().unwrap().asked.clone();
    let questions = asked.iter().filter(|asked| *asked == "GET /v1/actions/13").count();
    assert_eq!(questions, 4, "{asked:?}");
}

#[tokio::test]
async fn an_action_that_does_not_end_makes_its_order_late() {
    let stage = Stage::of(Shape::DigitalOcean).await;
    stage.cloud.machine.lock().unwrap().ends = false;
    let late = Order { deadline: stage.clock.now(), ..order(STANDBY, 2) };
    let late = stage.provider.power_on(late).await.unwrap_err();
    assert_eq!(late.failure, Failure::TimedOut);
    assert_eq!(late.what, "the cloud's action 13 for `3164445` has not ended");
}

#[tokio::test]
async fn the_token_is_in_no_error() {
    let stage = Stage::of(Shape::DigitalOcean).await;
    let echo = format!(r#"{{"id": "unauthorized", "message": "no such token: {TOKEN}"}}"#);
    let why = stage.blind(401, &echo).await;
    assert!(why.what.contains("no such token: …"), "{why}");
    let nobody = Stage::with(Shape::DigitalOcean, |one| {
        one.url = format!("http://127.0.0.1:{}/v2", crate::support::free_port());
    });
    let nobody = nobody.await;
    let why = nobody.provider.power(ask()).await.unwrap_err();
    assert_eq!(why.failure, Failure::Unreachable);
    assert!(why.what.contains("Connection refused"), "{why}");
    let shown = format!("{why:?} {:?}", nobody.provider);
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[tokio::test]
async fn another_host_goes_on_with_the_file_of_when_machines_were_on() {
    let stage = Stage::of(Shape::Hetzner).await;
    stage.on(1).await.unwrap();
    becomes(&stage.provider, Power::On).await;
    assert_eq!(changes(&stage.provider).await, [true]);
    let table = example(Shape::Hetzner, stage.cloud.port, &stage.folder);
    let other = open(config(&table), stage.clock.clone()).unwrap();
    stage.cloud.becomes("off");
    assert_eq!(power(&other).await, Power::Off);
    assert_eq!(changes(&other).await, [true, false]);
}
