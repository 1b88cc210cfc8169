//! A Redis that speaks TLS is asked where its certificate is trusted, and is for its name.

use std::path::PathBuf;
use std::process::Command;

use tidegate_core::{Failure, Span};
use tidegate_driver::adapters::rq::{Rq, RqConfig, RqConfigError};
use tidegate_driver::adapters::{RedisConfig, SecretSource};
use tidegate_driver::ports::{Jobs, PortError};

use crate::support::witness::Witness;
use crate::support::{Folder, Running, ask, certificates, clock, eventually, free_port};

const PASSWORD: &str = "hunter2";

/// A folder with certificates and a password.
fn prepared() -> Folder {
    let folder = Folder::new();
    certificates::make(&folder.path(""), || Command::new("openssl"));
    folder.write("password", PASSWORD);
    folder
}

fn adapter(folder: &Folder, url: &str, ca: Option<&str>) -> Result<Rq, RqConfigError> {
    let redis = RedisConfig {
        url: url.to_owned(),
        ca: ca.map(|name| folder.path(name)),
        user: None,
        password: Some(SecretSource::File(folder.path("password"))),
    };
    let (group, put_back_after) = ("test".to_owned(), Span::from_secs(20));
    Rq::new(RqConfig { redis, group, servers: Vec::new(), put_back_after }, clock())
}

async fn answer(folder: &Folder, url: &str, ca: Option<&str>) -> Result<(), PortError> {
    adapter(folder, url, ca).unwrap().workers(ask()).await.map(drop)
}

/// A Redis that speaks TLS alone, and asks for a client's certificate if `wants_one`.
fn redis(folder: &Folder, port: u16, wants_one: bool) -> Running {
    let [own, key, ca] = ["own", "own.key", "ca"].map(|name| folder.path(name));
    let place: [PathBuf; 3] = [own, key, ca];
    let [own, key, ca] = place.each_ref().map(|path| path.to_str().unwrap());
    let (port, wants) = (port.to_string(), if wants_one { "yes" } else { "no" });
    let listen = ["--port", "0", "--tls-port", &port, "--bind", "127.0.0.1", "--save", ""];
    let tls = ["--tls-cert-file", own, "--tls-key-file", key, "--tls-ca-cert-file", ca];
    let asks = ["--tls-auth-clients", wants, "--requirepass", PASSWORD];
    let log = folder.path(&format!("redis-{port}.log"));
    Running::start("redis-server", &[&listen[..], &tls, &asks].concat(), &log)
}

#[tokio::test]
async fn a_certificate_is_trusted_or_refused_and_the_reason_is_told() {
    let (folder, port, strict) = (prepared(), free_port(), free_port());
    let _redis = [redis(&folder, port, false), redis(&folder, strict, true)];
    let at = |name, port| format!("rediss://{name}:{port}/1");
    let here = at("localhost", port);
    let trusted = async || answer(&folder, &here, Some("ca")).await.ok();
    eventually("Redis answers", trusted).await;
    let stranger = answer(&folder, &here, None).await.unwrap_err();
    assert_eq!(stranger.failure, Failure::Unreachable);
    assert!(stranger.what.contains("nobody who is trusted has signed"), "{stranger}");
    let other = answer(&folder, &at("127.0.0.1", port), Some("ca")).await.unwrap_err();
    assert!(other.what.contains("not for `127.0.0.1`, but for localhost"), "{other}");
    let wanting = async || {
        let why = answer(&folder, &at("localhost", strict), Some("ca")).await.unwrap_err();
        why.what.contains("wants a client's certificate").then_some(())
    };
    eventually("a client's certificate is asked for", wanting).await;
    folder.write("password", "abracadabra");
    let wrong = answer(&folder, &here, Some("ca")).await.unwrap_err();
    assert_eq!(wrong.failure, Failure::Refused);
    assert!(wrong.what.contains("does not take this user and password"), "{wrong}");
}

#[tokio::test]
async fn a_password_is_shown_to_none_but_a_server_that_is_trusted() {
    let (folder, server) = (prepared(), Witness::start().await);
    let at = folder.path("");
    let url = |name| format!("rediss://{name}:{}", server.port());
    let asked = async |name, ca| {
        let url = url(name);
        tokio::join!(server.encrypted(&at), answer(&folder, &url, ca)).0
    };
    let heard = asked("localhost", Some("ca")).await.unwrap();
    assert!(heard.contains(PASSWORD), "{heard}");
    assert_eq!(asked("localhost", None).await, None);
    assert_eq!(asked("127.0.0.1", Some("ca")).await, None);
    let url = url("localhost");
    let refusal = "-ERR Protocol error\r\n";
    let (heard, refused) = tokio::join!(server.plain(refusal), answer(&folder, &url, Some("ca")));
    assert!(!heard.contains(PASSWORD), "{heard}");
    let refused = refused.unwrap_err();
    assert!(refused.what.contains("does not speak TLS there"), "{refused}");
}

#[test]
fn what_would_not_be_encrypted_or_checked_is_refused() {
    let folder = prepared();
    let refused = |url, ca| adapter(&folder, url, ca).unwrap_err().to_string();
    assert!(refused("redis://localhost", Some("ca")).contains("take `rediss://"));
    assert!(refused("rediss://localhost#insecure", None).contains("take `#insecure` away"));
    assert!(refused("rediss://:secret@localhost", None).contains("holds no password"));
    assert!(refused("rediss://", None).contains("the address of a Redis"));
    assert!(refused("rediss://localhost", Some("none")).contains("read the certificates in"));
}
