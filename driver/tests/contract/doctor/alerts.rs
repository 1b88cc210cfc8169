//! Prometheus and Alertmanager are asked what they have of the policy's rules and their receiver.

use tidegate_driver::doctor::Verdict;

use super::{diagnosis, findings};
use crate::alerts::config::config;
use crate::alerts::stack::{Stack, alertmanager};
use crate::metrics::exporter;
use crate::support::{Folder, eventually, free_port};

/// Nothing, if a finding about alerts is this, or else all of them.
async fn told(config: &str, verdict: Verdict, words: &str) -> Result<(), Vec<(Verdict, String)>> {
    let folder = Folder::new();
    let diagnosis = diagnosis(config, &folder.path("none.db")).await;
    let ours = findings(&diagnosis).filter(|one| one.part == "alerts");
    let found: Vec<_> = ours.map(|one| (one.verdict, one.found.clone())).collect();
    let is_it = |one: &(Verdict, String)| one.0 == verdict && one.1.contains(words);
    if found.iter().any(is_it) { Ok(()) } else { Err(found) }
}

async fn until_the_receiver_is_found(config: &str) {
    eventually("the receiver", async || {
        told(config, Verdict::Ok, "has a receiver `tidegate`").await.ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_that_are_loaded_are_those_of_the_policy() {
    let stack = Stack::start().await;
    let config = stack.config();
    until_the_receiver_is_found(&config).await;
    told(&config, Verdict::Ok, "`cpu > 75% for 1s` is loaded").await.unwrap();
    let other = config.replace("above = \"75%\"", "above = \"70%\"");
    let words = "loaded for `cpu > 75% for 1s`, the policy says `cpu > 70% for 1s`";
    told(&other, Verdict::Missing, words).await.unwrap();
    let other = config.replace("name = \"school\"", "name = \"college\"");
    told(&other, Verdict::Missing, "Prometheus has no TidegateScaleUp").await.unwrap();
    let other = config.replace("value = \"cpu\"", "value = \"cpu * 1\"");
    assert_ne!(other, config);
    told(&other, Verdict::Missing, "loaded with another expression").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alertmanager_that_speaks_tls_is_trusted_as_its_prometheus_is() {
    let port = free_port();
    let prometheus = exporter::Stack::encrypted(port).await;
    let folder = &prometheus.folder;
    let file = "route: {receiver: tidegate}\nreceivers: [{name: tidegate}]\n";
    folder.write("alertmanager.yml", file);
    let _alertmanager = alertmanager(folder, port);
    let config = config(&prometheus.url_over_tls("localhost"), "token");
    let label = "label = \"server\"\n";
    assert_eq!(config.matches(label).count(), 1, "{config}");
    let ca = format!("{label}ca = \"{}\"\n", folder.path("ca").display());
    until_the_receiver_is_found(&config.replace(label, &ca)).await;
}
