//! From a notification to the journal and the servers of a live host.

use std::sync::Arc;

use tidegate_core::policy::{DownRule, Evidence, EvidenceFrom, Metric, Missing, Policy, UpRule};
use tidegate_core::{Defects, GroupConfig, Ratio, Span, StepName};
use tidegate_driver::fakes::{FakeGroup, MemoryStore};
use tidegate_driver::ports::Ports;
use tidegate_driver::runtime::{Deaf, Group, Host, Limits, Mode, Setup};
use tidegate_driver::store::Store;

use super::desk::{Desk, Sent};
use crate::support::{clock, eventually, fake};

/// The rules of the configuration, and windows that the controller alone could not fill here.
fn policy() -> Policy {
    let (metric, missing) = (Metric::Cpu, Missing::Reset);
    let (up, down) = (Ratio::from_percent(75), Ratio::from_percent(30));
    Policy {
        up: vec![UpRule { metric, above: up, window: Span::from_mins(5), missing }],
        down: vec![DownRule { metric, below: down, window: Span::from_mins(10), missing }],
        evidence: Evidence { from: EvidenceFrom::Alerts, ..Evidence::default() },
        ..Policy::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_received_is_on_disk_and_scales() {
    let desk = Desk::start().await;
    desk.serve();
    let servers = fake();
    servers.load_from(clock().now(), Ratio::from_percent(90));
    let store = Arc::new(MemoryStore::default());
    let limits = Limits { look: Span::from_millis(200), ..Limits::default() };
    let setup = Setup {
        store: store.clone(),
        clock: clock(),
        listener: Arc::new(Deaf),
        limits,
        mode: Mode::Act,
    };
    let config = GroupConfig {
        standbys: 1,
        primary_weight: 1,
        standby_weight: 1,
        policy: policy(),
        defects: Defects::default(),
    };
    let ports = Ports { alerts: desk.alerts.clone(), ..FakeGroup::ports(&servers) };
    let host = Host::start(&setup, vec![Group { name: "school".to_owned(), config, ports }]).await;
    let host = host.unwrap();
    let handle = host.handle();
    let running = tokio::spawn(host.run());
    let sent = Sent::firing();
    desk.fires(&sent);
    assert_eq!(desk.send(&sent).await, 200);
    let journal = String::from_utf8(store.journal("school", 1).await.unwrap().concat()).unwrap();
    let lines = journal.matches("\"alerts\":[{\"rule\":0,").count();
    assert_eq!(lines, 1, "{journal}");
    let starts = || servers.applied().iter().any(|one| one.step == StepName::PowerOn);
    eventually("its standby", async || starts().then_some(())).await;
    handle.stop();
    running.await.unwrap().unwrap();
}
