//! EC2, as moto has it, and what moto never answers from a server of the test's own.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use tidegate_core::{Failure, Power, ServerId};
use tidegate_driver::adapters::SecretSource;
use tidegate_driver::adapters::ec2::{Ec2, Ec2Config, Ec2Keys, open};
use tidegate_driver::ports::{Accepted, Provider};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{STANDBY, becomes, changes, keeps_the_contract, power};
use crate::support::{Folder, Running, ask, clock, eventually, free_port, order};

const SECRET: &str = "hunter2-secret";

fn config(folder: &Folder, servers: Vec<String>, port: u16) -> Ec2Config {
    let secret = |name: &str, text: &str| SecretSource::File(folder.write(name, text));
    let keys = Ec2Keys {
        access_key: secret("access", "AKIDEXAMPLE"),
        secret_key: secret("secret", SECRET),
        session_token: None,
    };
    let text = "region = \"eu-central-1\"\nservers = []\nlog = \"power\"\n";
    let default: Ec2Config = toml::from_str(text).unwrap();
    Ec2Config {
        keys: Some(keys),
        servers,
        log: folder.path("power"),
        endpoint: Some(format!("http://127.0.0.1:{port}")),
        ..default
    }
}

/// A moto with a primary that runs and a standby that is stopped.
pub struct Moto {
    pub folder: Folder,
    port: u16,
    servers: Vec<String>,
    _server: Running,
}

impl Moto {
    pub async fn start() -> Self {
        let (folder, port) = (Folder::new(), free_port());
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let program = root.join("target/python/moto/bin/moto_server").display().to_string();
        let arguments = ["-H", "127.0.0.1", "-p", &port.to_string()];
        let moto = Running::start(&program, &arguments, &folder.path("moto.log"));
        let run = "Action=RunInstances&ImageId=ami-12345678&MinCount=2&MaxCount=2";
        let made = eventually("moto answers", async || said(port, run).await).await;
        let parts = made.split("<instanceId>").skip(1);
        let servers: Vec<_> =
            parts.filter_map(|part| part.split('<').next()).map(str::to_owned).collect();
        assert_eq!(servers.len(), 2, "{made}");
        let moto = Self { folder, port, servers, _server: moto };
        moto.order("StopInstances").await;
        moto
    }

    /// What somebody else orders for the standby.
    async fn order(&self, action: &str) {
        let form = format!("Action={action}&InstanceId.1={}", self.servers[1]);
        said(self.port, &form).await.unwrap();
    }

    /// The example that ships, whose instances, key and file are those of the test.
    pub fn example(&self) -> String {
        let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let mut text = std::fs::read_to_string(docs.join("live-ec2.toml")).unwrap();
        let own = config(&self.folder, self.servers.clone(), self.port);
        let path = |name: &str| self.folder.path(name).display().to_string();
        for (from, to) in [
            ("i-0123456789abcdef0", self.servers[0].clone()),
            ("i-0123456789abcdef1", self.servers[1].clone()),
            ("/etc/tidegate/aws-key", path("access")),
            ("/etc/tidegate/aws-secret", path("secret")),
            ("/var/lib/tidegate/power.jsonl", path("power")),
        ] {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, &to);
        }
        format!("{text}endpoint = \"{}\"\n", own.endpoint.unwrap())
    }

    fn provider(&self) -> Ec2 {
        open(config(&self.folder, self.servers.clone(), self.port), clock()).unwrap()
    }
}

/// What is answered to a form, if it was accepted.
async fn said(port: u16, form: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let form = format!("{form}&Version=2016-11-15");
    let request = format!(
        "POST / HTTP/1.0\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=A/20260101/eu-central-1/ec2/aws4_request, \
         SignedHeaders=host, Signature=x\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.lines().next()?.contains(" 200 ").then(|| body.to_owned())
}

#[tokio::test]
async fn ec2_keeps_the_contract() {
    let moto = Moto::start().await;
    keeps_the_contract(&moto.provider()).await;
}

#[tokio::test]
async fn what_somebody_else_did_to_an_instance_is_seen_and_dated_by_ec2() {
    let moto = Moto::start().await;
    let provider = moto.provider();
    moto.order("StartInstances").await;
    becomes(&provider, Power::On).await;
    assert_eq!(provider.power_on(order(STANDBY, 1)).await, Ok(Accepted::Done));
    let before = ask().now;
    moto.order("StopInstances").await;
    becomes(&provider, Power::Off).await;
    assert_eq!(changes(&provider).await, [true, false]);
    let told = provider.changes(before, ask()).await.unwrap();
    assert!(told.len() <= 1, "EC2 tells whole seconds: {told:?}");
    let states = provider.power(ask()).await.unwrap();
    let known: Vec<_> = states.iter().map(|one| (one.server, one.power.value)).collect();
    assert_eq!(known, [(ServerId::PRIMARY, Power::On), (STANDBY, Power::Off)]);
}

#[tokio::test]
async fn an_instance_that_is_not_there_is_left_out_and_told_when_it_is_ordered() {
    let moto = Moto::start().await;
    let servers = vec![moto.servers[0].clone(), "i-00000000000000000".to_owned()];
    let provider = open(config(&moto.folder, servers, moto.port), clock()).unwrap();
    assert_eq!(provider.power(ask()).await.unwrap().len(), 1);
    let unknown = provider.power_on(order(STANDBY, 1)).await.unwrap_err();
    assert_eq!(unknown.what, "EC2 knows no `i-00000000000000000`");
}

/// Answers in a row, and what was asked.
type Script = Arc<Mutex<(VecDeque<(u16, String)>, Vec<(HeaderMap, String)>)>>;

struct Scripted {
    folder: Folder,
    script: Script,
    port: u16,
    _serving: JoinSet<()>,
}

impl Scripted {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Script::default();
        let router = Router::new().fallback(next).with_state(Arc::clone(&script));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { folder: Folder::new(), script, port, _serving: serving }
    }

    fn answers(&self, status: u16, body: &str) {
        self.script.lock().unwrap().0.push_back((status, body.to_owned()));
    }

    fn refuses(&self, status: u16, code: &str) {
        let error = format!("<Error><Code>{code}</Code><Message>so it is</Message></Error>");
        self.answers(status, &format!("<Response><Errors>{error}</Errors></Response>"));
    }

    fn tells(&self, state: &str) {
        let instance = format!(
            "<item><instanceId>i-1</instanceId><instanceState><name>{state}</name></instanceState>\
             <launchTime>2026-03-02T08:00:00.000Z</launchTime></item>"
        );
        self.answers(
            200,
            &format!(
                "<DescribeInstancesResponse><reservationSet><item><instancesSet>{instance}\
                 </instancesSet></item></reservationSet></DescribeInstancesResponse>"
            ),
        );
    }

    fn provider(&self, change: impl FnOnce(&mut Ec2Config)) -> Ec2 {
        let servers = ["i-0", "i-1"].map(str::to_owned).into();
        let mut config = config(&self.folder, servers, self.port);
        change(&mut config);
        open(config, clock()).unwrap()
    }

    fn asked(&self) -> Vec<(HeaderMap, String)> {
        self.script.lock().unwrap().1.clone()
    }
}

async fn next(
    State(script): State<Script>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let mut script = script.lock().unwrap();
    script.1.push((headers, format!("{uri} {body}")));
    let (status, body) = script.0.pop_front().unwrap();
    (StatusCode::from_u16(status).unwrap(), body)
}

#[tokio::test]
async fn what_ec2_refuses_is_told_in_the_cores_words() {
    let ec2 = Scripted::start().await;
    let provider = ec2.provider(|_| {});
    for (status, code, failure) in [
        (500, "InsufficientInstanceCapacity", Failure::OutOfCapacity),
        (503, "RequestLimitExceeded", Failure::RateLimited),
        (403, "UnauthorizedOperation", Failure::Refused),
        (400, "IncorrectInstanceState", Failure::Refused),
    ] {
        ec2.tells("stopped");
        ec2.refuses(status, code);
        ec2.tells("stopped");
        let why = provider.power_on(order(STANDBY, 1)).await.unwrap_err();
        assert_eq!(why.failure, failure, "{why}");
        assert!(why.what.contains(code), "{why}");
    }
    ec2.tells("stopped");
    ec2.refuses(400, "IncorrectInstanceState");
    ec2.tells("pending");
    let meanwhile = provider.power_on(order(STANDBY, 1)).await;
    assert_eq!(meanwhile, Ok(Accepted::Underway), "somebody else has started it");
    ec2.answers(200, "<html>");
    let what = provider.power(ask()).await.unwrap_err().what;
    assert!(what.contains("is no XML"), "{what}");
    assert!(!format!("{:?} {provider:?}", ec2.asked()).contains(SECRET));
}

#[tokio::test]
async fn a_key_of_the_instances_role_is_borrowed_once_and_sent_with_its_token() {
    let ec2 = Scripted::start().await;
    let metadata = format!("http://127.0.0.1:{}", ec2.port);
    let provider = ec2.provider(|config| {
        config.keys = None;
        config.metadata = metadata;
    });
    ec2.answers(200, "right-to-ask");
    ec2.answers(200, "scaler\n");
    ec2.answers(
        200,
        r#"{"Code": "Success", "AccessKeyId": "ASIA", "SecretAccessKey": "hunter2-secret",
            "Token": "lent", "Expiration": "2099-01-01T00:00:00Z"}"#,
    );
    for _ in 0..2 {
        ec2.tells("running");
        assert_eq!(power(&provider).await, Power::On);
    }
    let asked = ec2.asked();
    let paths: Vec<_> = asked.iter().filter_map(|(_, asked)| asked.split(' ').next()).collect();
    let role = "/latest/meta-data/iam/security-credentials/";
    let role_itself = format!("{role}scaler");
    assert_eq!(paths, ["/latest/api/token", role, &role_itself, "/", "/"]);
    let (signed, form) = &asked[3];
    assert!(form.contains("Filter.1.Value.2=i-1"), "{form}");
    assert_eq!(signed["x-amz-security-token"], "lent");
    let head = signed["authorization"].to_str().unwrap();
    assert!(head.contains("Credential=ASIA/") && head.contains("/eu-central-1/ec2/"), "{head}");
    let none = Scripted::start().await;
    none.answers(404, "");
    let metadata = format!("http://127.0.0.1:{}", none.port);
    let provider = none.provider(|config| {
        config.keys = None;
        config.metadata = metadata;
    });
    let what = provider.power(ask()).await.unwrap_err().what;
    assert_eq!(what, "this instance has no role (404)");
}
