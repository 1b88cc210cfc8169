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

use crate::support::eventually;

use front::Front;
use stack::{STANDBY, Stack};

/// Hosts the group on a thread of its own until it is told to stop.
fn host(stack: &Stack) -> (Control, std::thread::JoinHandle<()>) {
    let (config, store) = (stack.config(), Place::File(stack.folder.path("state.db")));
    let config = Config::parse(&config).unwrap_or_else(|why| panic!("{why:?}"));
    let (begun, control) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let tell = move |control| begun.send(control).unwrap();
        live(&config, &store, Mode::Act, Arc::new(Deaf), tell).unwrap();
    });
    (control.recv().unwrap(), thread)
}

async fn serves_and_leaves(proxy: Front) {
    let stack = Stack::behind(proxy).await;
    let clients = stack.clients();
    let (control, thread) = host(&stack);
    let handle = control.groups().await.unwrap();
    let up = OperatorRequest::ScaleUp { by: 1, hold: None };
    handle.request("whole", "a test", up).await.unwrap();
    eventually("the standby serves", async || stack.answered_by(STANDBY).then_some(())).await;
    assert_eq!(stack.power(), ["on"]);
    handle.request("whole", "a test", OperatorRequest::Resume).await.unwrap();
    let off = ["on", "stopping", "off"];
    eventually("the standby is off", async || (stack.power() == off).then_some(())).await;
    control.stop();
    tokio::task::spawn_blocking(|| thread.join()).await.unwrap().unwrap();
    assert_eq!(clients.stop().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_serves_and_leaves_and_no_request_fails() {
    serves_and_leaves(Front::Haproxy("disabled")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_nginx_neither() {
    serves_and_leaves(Front::Nginx).await;
}
