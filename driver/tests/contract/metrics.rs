mod encrypted;
pub mod exporter;

use tidegate_core::{Failure, ServerId, Span};
use tidegate_driver::adapters::SecretSource;
use tidegate_driver::adapters::prometheus::{Prometheus, PrometheusConfig, Quantity};
use tidegate_driver::ports::{Metrics, Usage};

use crate::support::{ask, eventually};

use exporter::Stack;

fn quantity(name: &str) -> Quantity {
    Quantity { value: name.to_owned(), sampled: format!("timestamp({name})") }
}

/// Expressions that are gauges of the test's exporter.
fn config(stack: &Stack) -> PrometheusConfig {
    PrometheusConfig {
        url: stack.url(),
        ca: None,
        token: None,
        label: "server".to_owned(),
        servers: ["one", "two"].map(str::to_owned).into(),
        cpu: quantity("cpu"),
        memory: quantity("memory"),
        stale_after: Span::from_hours(1),
    }
}

async fn usage(metrics: &dyn Metrics) -> Vec<Usage> {
    metrics.usage(ask()).await.unwrap()
}

#[tokio::test]
async fn samples_keep_their_own_time_and_what_is_no_number_is_left_out() {
    let stack = Stack::start().await;
    stack.expose(
        "cpu{server=\"one\"} 0.75\nmemory{server=\"one\"} NaN\n\
         cpu{server=\"two\"} +Inf\nmemory{server=\"three\"} 0.5\n",
    );
    let metrics = Prometheus::new(config(&stack)).unwrap();
    let first = eventually("a sample", async || usage(&metrics).await.pop()).await;
    assert_eq!((first.server, first.memory), (ServerId::PRIMARY, None));
    let cpu = first.cpu.unwrap();
    assert_eq!(cpu.value.ppm(), 750_000);
    stack.stop_exporter();
    eventually("no sample is younger than the last scrape", async || {
        let down = stack.query("up == 0").await;
        down.then_some(())
    })
    .await;
    assert_eq!(usage(&metrics).await, [], "a series that ended is stale at once");
}

#[tokio::test]
async fn a_sample_is_dated_by_itself_and_left_out_once_it_is_old() {
    let stack = Stack::start().await;
    stack.expose("cpu{server=\"one\"} 0.5\nsince{server=\"one\"} 1000\n");
    let sampled = Quantity { sampled: "since".to_owned(), ..quantity("cpu") };
    let old = PrometheusConfig { cpu: sampled, stale_after: Span::MAX, ..config(&stack) };
    let metrics = Prometheus::new(old.clone()).unwrap();
    let one = eventually("a sample", async || usage(&metrics).await.pop()).await;
    assert_eq!(one.cpu.unwrap().at.as_nanos(), 1_000_000_000_000);
    let strict = PrometheusConfig { stale_after: Span::from_mins(1), ..old };
    assert_eq!(usage(&Prometheus::new(strict).unwrap()).await, []);
}

#[tokio::test]
async fn what_prometheus_says_of_a_mistake_is_told() {
    let stack = Stack::start().await;
    let failed = async |config| {
        let why = Prometheus::new(config).unwrap().usage(ask()).await.unwrap_err();
        (why.failure, why.what)
    };
    let (failure, what) =
        failed(PrometheusConfig { cpu: quantity("cpu +"), ..config(&stack) }).await;
    assert_eq!(failure, Failure::Refused);
    assert!(what.starts_with("Prometheus says: bad_data: "), "{what}");
    stack.expose("cpu{server=\"one\",core=\"0\"} 0.1\ncpu{server=\"one\",core=\"1\"} 0.2\n");
    let twice = Prometheus::new(config(&stack)).unwrap();
    let why = eventually("two series", async || twice.usage(ask()).await.err()).await;
    assert!(why.what.contains("aggregate by `server`"), "{why}");
    let nobody = format!("http://127.0.0.1:{}", crate::support::free_port());
    let (failure, _) = failed(PrometheusConfig { url: nobody, ..config(&stack) }).await;
    assert_eq!(failure, Failure::Unreachable);
    let strange = PrometheusConfig { url: "ftp://nowhere".to_owned(), ..config(&stack) };
    assert!(Prometheus::new(strange).is_err());
    let token = Some(SecretSource::Env("TIDEGATE_NO_SUCH_SECRET".to_owned()));
    assert!(Prometheus::new(PrometheusConfig { token, ..config(&stack) }).is_err());
}
