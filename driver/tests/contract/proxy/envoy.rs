mod stack;

use tidegate_core::{Failure, ServerId, Span};
use tidegate_driver::adapters::envoy::{Envoy, EnvoyConfig};
use tidegate_driver::clock::{Clock, SystemClock};
use tidegate_driver::ports::{Order, Proxy, Traffic};

use super::{
    STANDBY, changes_in_peace, drains_in_peace, is_idle, is_routed, keeps_the_contract, refusal,
    serves_alone, standby,
};
use crate::support::{ask, clock, eventually, order};

use stack::Stack;

/// An order for the standby that is to be carried out within this time.
fn hasty(within: Span) -> Order {
    Order { deadline: SystemClock.now() + within, ..order(STANDBY, 1) }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let stack = Stack::start().await;
    keeps_the_contract(&stack.adapter()).await;
}

#[tokio::test]
async fn a_drained_server_has_its_request_in_flight_until_it_is_answered() {
    let stack = Stack::start().await;
    drains_in_peace(&stack.adapter(), &stack.servers, |path| stack.get(path)).await;
}

#[tokio::test]
async fn connections_that_are_kept_live_on_and_no_request_fails_at_a_change() {
    let stack = Stack::start().await;
    changes_in_peace(&stack.adapter(), stack.port()).await;
}

#[tokio::test]
async fn drained_servers_get_nothing_however_many_they_are() {
    let stack = Stack::start().await;
    let proxy = stack.adapter();
    proxy.drain(order(ServerId::PRIMARY, 1)).await.unwrap();
    assert_eq!(stack.get("/").await, "", "there is nobody to ask");
}

#[tokio::test]
async fn a_request_that_a_former_process_has_is_not_taken_for_none() {
    let mut stack = Stack::replaceable().await;
    let proxy = stack.adapter();
    serves_alone(&proxy).await;
    is_idle(&proxy).await;
    let slow = tokio::spawn(stack.get("/slow"));
    stack.servers.has_slow(1).await;
    stack.replace().await;
    let forgotten = standby(&proxy).await;
    assert!(forgotten.routed.unwrap().value, "the state is what the file says");
    assert_eq!(forgotten.in_flight, None, "the present process knows nothing of it");
    is_idle(&proxy).await;
    slow.await.unwrap();
}

#[tokio::test]
async fn requests_are_counted_as_routed_served_and_failed() {
    let stack = Stack::start().await;
    let proxy = stack.adapter();
    serves_alone(&proxy).await;
    for _ in 0..5 {
        assert_eq!(stack.get("/").await, "app1");
    }
    stack.get("/broken").await;
    let counted = eventually("all are counted", async || {
        standby(&proxy).await.counted.filter(|counted| counted.failed > 0)
    })
    .await;
    let expected = Traffic { server: STANDBY, routed: 6, served: 5, failed: 1 };
    assert_eq!(counted, expected);
}

#[tokio::test]
async fn a_restart_forgets_nothing_but_what_was_counted() {
    let mut stack = Stack::start().await;
    let proxy = stack.adapter();
    serves_alone(&proxy).await;
    assert_eq!(stack.get("/").await, "app1");
    stack.stop();
    let down = proxy.state(ask()).await.map_err(|why| why.failure);
    assert_eq!(down, Err(Failure::Unreachable));
    stack.restart().await;
    assert_eq!(stack.get("/").await, "app1");
    assert!(is_routed(&proxy).await);
}

#[tokio::test]
async fn another_controller_is_fenced_by_what_stands_in_the_file() {
    let stack = Stack::start().await;
    let (one, other) = (stack.adapter(), stack.adapter());
    other.join(order(STANDBY, 7), 100, Span::ZERO).await.unwrap();
    let late = one.drain(order(STANDBY, 6)).await.map_err(|why| why.failure);
    assert_eq!(late, Err(Failure::Fenced));
    assert!(is_routed(&one).await);
    one.drain(order(STANDBY, 8)).await.unwrap();
    assert!(!is_routed(&other).await);
}

#[tokio::test]
async fn a_server_that_does_not_pass_the_check_of_envoy_is_not_joined() {
    let stack = Stack::start().await;
    stack.sicken().await;
    let proxy = stack.adapter();
    eventually("it is told why", async || {
        let why = proxy.join(hasty(Span::from_secs(1)), 100, Span::ZERO).await.unwrap_err();
        assert_eq!(why.failure, Failure::TimedOut);
        why.what.contains("its own check of the server is not good").then_some(())
    })
    .await;
    assert!(!is_routed(&proxy).await);
}

#[tokio::test]
async fn what_envoy_cannot_do_is_refused_with_what_to_do() {
    let stack = Stack::start().await;
    let proxy = stack.adapter();
    assert_eq!(refusal(&proxy, 0, Span::ZERO).await, "the weight is 0; Envoy takes 1 or more");
    assert!(refusal(&proxy, 100, Span::from_secs(30)).await.contains("let the policy's be 0s"));
    let elsewhere = EnvoyConfig { cluster: "shop".to_owned(), ..stack.config() };
    let why = Envoy::new(elsewhere, clock()).unwrap().state(ask()).await.unwrap_err();
    assert_eq!(why.what, "Envoy has no cluster `shop`");
    let other = stack.folder.write("other.json", "{\"resources\": []}");
    let elsewhere = Envoy::new(EnvoyConfig { file: other, ..stack.config() }, clock()).unwrap();
    let why = elsewhere.drain(order(STANDBY, 1)).await.unwrap_err();
    assert!(why.what.contains("has none at `"), "{why}");
    let twice = vec!["10.0.0.1:80".to_owned(); 2];
    let twice = Envoy::new(EnvoyConfig { servers: twice, ..stack.config() }, clock()).unwrap_err();
    assert_eq!(twice.to_string(), "the address `10.0.0.1:80` is listed twice");
}

#[tokio::test]
async fn a_change_that_envoy_does_not_take_up_ends_with_its_order() {
    let stack = Stack::start().await;
    let copy = std::fs::read_to_string(stack.folder.path("app.json")).unwrap();
    let file = stack.folder.write("copy.json", &copy);
    let proxy = Envoy::new(EnvoyConfig { file, ..stack.config() }, clock()).unwrap();
    let why = proxy.join(hasty(Span::ZERO), 100, Span::ZERO).await.unwrap_err();
    assert_eq!(why.failure, Failure::TimedOut);
    assert!(why.what.contains("whether its cluster is of this file"), "{why}");
}
