//! A group of real software is tried out, without requests and with them, and none of them fails.

use std::sync::{Arc, Mutex};

use tidegate_core::Timestamp;
use tidegate_driver::config::Config;
use tidegate_driver::doctor::Finding;
use tidegate_driver::enable::{EnableError, How, Report, enable};
use tidegate_driver::runtime::{Event, HostEvent, Listener};
use tidegate_driver::store::Place;

use crate::doctor::{healthy, until_well};
use crate::support::eventually;
use crate::whole::front::Front;
use crate::whole::stack::{STANDBY, Stack};

/// The steps that were done.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Listener for Notes {
    fn tell(&self, _: Timestamp, _: &str, _: &Event<'_>) {}

    fn tell_of_host(&self, _: Timestamp, _: &HostEvent<'_>) {}
}

impl Report for Notes {
    fn ended(&self, step: &str, how: &How) {
        if *how == How::Done {
            self.0.lock().unwrap().push(step.to_owned());
        }
    }

    fn found(&self, finding: &Finding) {
        panic!("{finding:?}");
    }
}

/// Enables the group of the stack as it is configured; the steps, and how it ended.
async fn enabled(
    stack: &Stack,
    config: &str,
    with_traffic: bool,
) -> (Vec<String>, Result<(), EnableError>) {
    let config = Config::parse(config).unwrap_or_else(|why| panic!("{why:?}"));
    let (store, notes) = (Place::File(stack.folder.path("state.db")), Arc::new(Notes::default()));
    let report = Arc::clone(&notes);
    let work = move || enable(&config, &store, "whole", with_traffic, report);
    let ended = tokio::task::spawn_blocking(work).await.unwrap();
    let steps = notes.0.lock().unwrap().clone();
    (steps, ended)
}

async fn is_tried(proxy: Front) {
    let stack = Stack::behind(proxy).await;
    let clients = stack.clients();
    // Two checks of the proxy and two scrapes are due.
    until_well(&stack).await;
    let good = healthy(&stack);
    let (steps, ended) = enabled(&stack, &good, false).await;
    ended.unwrap();
    let tried = "standby-1 known to the proxy, without traffic";
    assert!(steps.iter().any(|step| step == tried), "{steps:?}");
    assert!(!stack.answered_by(STANDBY), "it was not to get any");
    assert_eq!(stack.power(), ["on", "stopping", "off"]);
    let (steps, ended) = enabled(&stack, &good, true).await;
    ended.unwrap();
    assert!(steps.iter().any(|step| step == "join standby-1, and routed"), "{steps:?}");
    eventually("the standby served", async || stack.answered_by(STANDBY).then_some(())).await;
    assert_eq!(stack.power(), ["on", "stopping", "off", "on", "stopping", "off"]);
    assert_eq!(clients.stop().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_tried_without_requests_and_with_them() {
    is_tried(Front::Haproxy("disabled")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_behind_nginx_is_tried_too() {
    is_tried(Front::Nginx).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_does_not_come_up_is_off_again_and_the_next_run_goes_on() {
    let stack = Stack::start().await;
    until_well(&stack).await;
    let restless = "[policy]\nsteps.fault_backoff = \"1s\"\n";
    let good = healthy(&stack).replace("[policy]\n", restless);
    let hasty = "[policy]\nsteps.warm = { deadline = \"2s\", attempts = 1 }\n";
    let mut bad = good.replace("[policy]\n", hasty);
    let last_check = bad.rfind("[{ url = ").unwrap();
    bad.insert_str(last_check + "[{ ".len(), "status = 404, ");
    let (steps, ended) = enabled(&stack, &bad, false).await;
    let Err(EnableError::Failed { step, .. }) = ended else { panic!("{ended:?}") };
    assert_eq!(step, "bring standby-1 up");
    assert!(steps.iter().any(|step| step == "power-off standby-1"), "{steps:?}");
    assert_eq!(stack.power(), ["on", "stopping", "off"]);
    let (steps, ended) = enabled(&stack, &good, false).await;
    ended.unwrap();
    assert!(!steps.iter().any(|step| step == "checks"), "they were made: {steps:?}");
    assert_eq!(steps.last().map(String::as_str), Some("enabled"));
}
