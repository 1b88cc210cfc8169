//! Live configurations, and what Alertmanager sends: each is taken, or refused with its place or in
//! a sentence.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tidegate_driver::config::Config;
use tidegate_tests::fuzz::{configuration, corpus, notification};

use crate::change::changed;
use crate::{config, texts_of};

/// The manual's configurations, and what fuzzing begins with.
fn seeds() -> Vec<String> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let read = |name: &str| fs::read_to_string(docs.join(name)).unwrap();
    let servers = read("live-servers.toml");
    let (before, _) = servers.split_once("[group.ports.process]").unwrap();
    let clouds = ["hetzner", "digitalocean", "ec2"];
    let in_clouds = clouds.map(|cloud| format!("{before}{}", read(&format!("live-{cloud}.toml"))));
    let (before, rest) = servers.split_once("[group.ports.haproxy]\n").unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    let manual = read("live.md");
    let behind = ["nginx", "envoy"].map(|proxy| {
        let (_, rest) = manual.split_once(&format!("[group.ports.{proxy}]\n")).unwrap();
        let (table, _) = rest.split_once("```").unwrap();
        format!("{before}[group.ports.{proxy}]\n{table}\n{after}")
    });
    let own = [read("live-demo.toml"), servers.clone()];
    let shipped = own.into_iter().chain(in_clouds).chain(behind);
    shipped.chain(texts_of(corpus("configuration"))).collect()
}

#[test]
fn what_is_changed_is_itself_valid() {
    for text in seeds() {
        if let Err(why) = Config::parse(&text) {
            panic!("{why}\n{text}");
        }
        configuration(&text);
    }
    for body in corpus("notification") {
        notification(&body);
    }
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn a_changed_configuration_is_read_or_refused(
        text in changed(seeds(), 1..4),
    ) {
        configuration(&text);
    }

    #[test]
    fn any_text_is_a_configuration_or_refused(text in any::<String>()) {
        configuration(&text);
    }

    #[test]
    fn a_changed_notification_is_sorted_or_refused(
        text in changed(texts_of(corpus("notification")), 1..4),
    ) {
        notification(text.as_bytes());
    }

    #[test]
    fn any_bytes_are_a_notification_or_refused(bytes in any::<Vec<u8>>()) {
        notification(&bytes);
    }
}
