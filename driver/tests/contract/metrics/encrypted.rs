//! A Prometheus that speaks TLS is asked where its certificate is trusted, and is for its name.

use std::path::PathBuf;

use tidegate_core::Failure;
use tidegate_driver::adapters::SecretSource;
use tidegate_driver::adapters::prometheus::{Prometheus, PrometheusConfig};
use tidegate_driver::ports::{Metrics, PortError, Usage};

use super::config;
use super::exporter::Stack;
use crate::support::witness::Witness;
use crate::support::{ask, eventually, free_port};

const TOKEN: &str = "hunter2";

/// The stack's configuration with a token, at another address.
fn at(stack: &Stack, url: String, ca: Option<PathBuf>) -> PrometheusConfig {
    let token = Some(SecretSource::File(stack.folder.write("token", TOKEN)));
    PrometheusConfig { url, ca, token, ..config(stack) }
}

async fn usage(config: PrometheusConfig) -> Result<Vec<Usage>, PortError> {
    Prometheus::new(config).unwrap().usage(ask()).await
}

#[tokio::test]
async fn a_certificate_is_trusted_or_refused_and_the_reason_is_told() {
    let stack = Stack::encrypted(free_port()).await;
    stack.expose("cpu{server=\"one\"} 0.75\n");
    let (ca, here) = (Some(stack.folder.path("ca")), stack.url_over_tls("localhost"));
    let trusted = Prometheus::new(at(&stack, here.clone(), ca.clone())).unwrap();
    let sample = async || trusted.usage(ask()).await.ok()?.pop()?.cpu;
    assert_eq!(eventually("a sample", sample).await.value.ppm(), 750_000);
    let refused = async |url, ca| usage(at(&stack, url, ca)).await.unwrap_err();
    let stranger = refused(here, None).await;
    assert_eq!(stranger.failure, Failure::Unreachable);
    assert!(stranger.what.contains("nobody who is trusted has signed"), "{stranger}");
    let other = refused(stack.url_over_tls("127.0.0.1"), ca.clone()).await;
    assert!(other.what.contains("not for `127.0.0.1`, but for localhost"), "{other}");
    let plain = refused(stack.url(), None).await;
    assert!(plain.what.contains("give its `url` with `https`"), "{plain}");
    let needless = Prometheus::new(at(&stack, stack.url(), ca)).unwrap_err();
    assert!(needless.to_string().contains("`ca` is for an encrypted connection"), "{needless}");
    let none = Some(stack.folder.write("none.pem", "nothing"));
    let none = Prometheus::new(at(&stack, stack.url_over_tls("localhost"), none)).unwrap_err();
    assert!(none.to_string().contains("none.pem`: there are none"), "{none}");
}

#[tokio::test]
async fn a_token_is_shown_to_none_but_a_server_that_is_trusted() {
    let (stack, server) = (Stack::encrypted(free_port()).await, Witness::start().await);
    let (folder, ca) = (stack.folder.path(""), Some(stack.folder.path("ca")));
    let url = |name| format!("https://{name}:{}", server.port());
    let asked = async |name, ca| {
        let (heard, _) = tokio::join!(server.encrypted(&folder), usage(at(&stack, url(name), ca)));
        heard
    };
    let heard = asked("localhost", ca.clone()).await.unwrap();
    assert!(heard.contains(&format!("Bearer {TOKEN}")), "{heard}");
    assert_eq!(asked("localhost", None).await, None);
    assert_eq!(asked("127.0.0.1", ca.clone()).await, None);
    let asked = usage(at(&stack, url("localhost"), ca));
    let (heard, refused) = tokio::join!(server.plain("HTTP/1.1 400 Bad Request\r\n\r\n"), asked);
    assert!(!heard.contains(TOKEN), "{heard}");
    let refused = refused.unwrap_err();
    assert!(refused.what.contains("does not speak TLS there"), "{refused}");
}
