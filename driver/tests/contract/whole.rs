//! A whole group on real software: a standby starts, joins, serves and leaves again while requests
//! go on, and none of them fails.

pub mod front;
pub mod stack;

use std::sync::{Arc, mpsc};

use tidegate_core::OperatorRequest;
use tidegate_driver::config::Config;
use tidegate_driver::live::{Control, live};
use tidegate_driver::runtime::{Deaf, Mode};
use tidegate_driver::store::Place;

use crate::provider::http::cloud::{Cloud, Shape};
use crate::provider::http::example;
use crate::ssh;
use crate::support::eventually;

use front::Front;
use stack::{STANDBY, Stack};

/// Hosts the group on a thread of its own until it is told to stop.
fn host(stack: &Stack, config: &str) -> (Control, std::thread::JoinHandle<()>) {
    let store = Place::File(stack.folder.path("state.db"));
    let config = Config::parse(config).unwrap_or_else(|why| panic!("{why:?}"));
    let (begun, control) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let tell = move |control| begun.send(control).unwrap();
        live(&config, &store, Mode::Act, Arc::new(Deaf), tell).unwrap();
    });
    (control.recv().unwrap(), thread)
}

/// Lets the standby serve under a person's demand and leave after it, under requests.
async fn serves_and_leaves(
    stack: &Stack,
    config: &str,
    serving: impl Fn(),
    is_off: impl Fn() -> bool,
) {
    let clients = stack.clients();
    let (control, thread) = host(stack, config);
    let handle = control.groups().await.unwrap();
    let up = OperatorRequest::ScaleUp { by: 1, hold: None };
    handle.request("whole", "a test", up).await.unwrap();
    eventually("the standby serves", async || stack.answered_by(STANDBY).then_some(())).await;
    serving();
    handle.request("whole", "a test", OperatorRequest::Resume).await.unwrap();
    eventually("the standby is off", async || is_off().then_some(())).await;
    control.stop();
    tokio::task::spawn_blocking(|| thread.join()).await.unwrap().unwrap();
    assert_eq!(clients.stop().await, Vec::<String>::new());
}

/// The same, of a standby that is a process.
async fn process_serves_and_leaves(stack: &Stack, config: &str) {
    let serving = || assert_eq!(stack.power(), ["on"]);
    let is_off = || stack.power() == ["on", "stopping", "off"];
    serves_and_leaves(stack, config, serving, is_off).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_serves_and_leaves_and_no_request_fails() {
    let stack = Stack::behind(Front::Haproxy("disabled")).await;
    process_serves_and_leaves(&stack, &stack.config()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_nginx_neither() {
    let stack = Stack::behind(Front::Nginx).await;
    process_serves_and_leaves(&stack, &stack.config()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_envoy_neither() {
    let stack = Stack::behind(Front::Envoy).await;
    process_serves_and_leaves(&stack, &stack.config()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_of_a_cloud_serves_and_leaves_and_no_request_fails() {
    let stack = Stack::start().await;
    let cloud = Cloud::start(Shape::DigitalOcean).await;
    let _machine = stack.standby();
    let config = stack.config_with(&example(Shape::DigitalOcean, cloud.port, &stack.folder));
    let power = || std::fs::read_to_string(stack.folder.path("power")).unwrap_or_default();
    let is_off = || power().lines().last().is_some_and(|line| line.contains("\"on\":false"));
    serves_and_leaves(&stack, &config, || (), is_off).await;
    assert_eq!(cloud.orders(), ["power_on", "shutdown"]);
    assert_eq!(power().matches("\"server\":1").count(), 2, "{}", power());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_whose_units_are_reached_by_ssh_serves_and_leaves() {
    let (stack, ssh) = (Stack::start().await, ssh::Stage::start().await);
    let web = stack.folder.path("standby.go").display().to_string();
    let hook = format!("case $1 in start) touch {web};; stop) rm -f {web};; esac\n");
    ssh.folder.write("bin/hook", &hook);
    let config = stack.config_over_ssh(&ssh.table(["", "\"web.service\""]));
    process_serves_and_leaves(&stack, &config).await;
    let asked = ssh.asked();
    let what = asked.iter().filter_map(|asked| asked.split(' ').next());
    let what: Vec<_> = what.filter(|what| *what != "is-active").collect();
    assert_eq!(what, ["start", "stop"]);
}
