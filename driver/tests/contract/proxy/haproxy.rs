mod stack;

use tidegate_core::{Failure, Span};
use tidegate_driver::adapters::haproxy::{Haproxy, HaproxyConfig};
use tidegate_driver::ports::{Proxy, Traffic};

use super::{
    STANDBY, drains_in_peace, is_idle, is_routed, keeps_the_contract, refusal, serves_alone,
    standby,
};
use crate::support::{ask, clock, eventually, order};

use stack::{Stack, Start};

async fn traffic(proxy: &Haproxy) -> Traffic {
    standby(proxy).await.counted.unwrap()
}

/// The standby alone, with traffic.
async fn joined(stack: &Stack) -> Haproxy {
    let proxy = stack.adapter();
    serves_alone(&proxy).await;
    proxy
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let stack = Stack::start("").await;
    keeps_the_contract(&stack.adapter()).await;
}

#[tokio::test]
async fn a_drained_server_has_its_request_in_flight_until_it_is_answered() {
    let stack = Stack::start("").await;
    drains_in_peace(&stack.adapter(), &stack.servers, |path| stack.get(path)).await;
}

#[tokio::test]
async fn a_standby_that_joins_takes_what_waits() {
    let stack = Stack::start("maxconn 1").await;
    stack.say("set maxconn server app/app0 1").await.unwrap();
    let slow = tokio::spawn(stack.get("/slow"));
    stack.servers.has_slow(1).await;
    let waits = tokio::spawn(stack.get("/"));
    eventually("a request waits", async || (stack.waiting().await == 1).then_some(())).await;
    stack.adapter().join(order(STANDBY, 1), 100, Span::ZERO).await.unwrap();
    assert_eq!(waits.await.unwrap(), "app1");
    assert_eq!(stack.get("/").await, "app1");
    stack.servers.release();
    assert_eq!(slow.await.unwrap(), "app0");
}

#[tokio::test]
async fn a_request_that_a_former_process_has_is_not_taken_for_none() {
    for start in [Start::Alone, Start::Master] {
        let mut stack = Stack::started("", start).await;
        let proxy = joined(&stack).await;
        let slow = tokio::spawn(stack.get("/slow"));
        stack.servers.has_slow(1).await;
        for _ in 0..2 {
            stack.reload().await;
        }
        let forgotten = standby(&proxy).await;
        assert!(!forgotten.routed.unwrap().value, "{start:?}: the state is what the file says");
        assert_eq!(forgotten.in_flight, None, "{start:?}: the present process knows nothing of it");
        stack.servers.release();
        assert_eq!(slow.await.unwrap(), "app1", "{start:?}");
        is_idle(&proxy).await;
    }
}

#[tokio::test]
async fn requests_are_counted_as_routed_served_and_failed() {
    let stack = Stack::start("").await;
    let proxy = joined(&stack).await;
    for _ in 0..5 {
        assert_eq!(stack.get("/").await, "app1");
    }
    stack.get("/broken").await;
    let counted = eventually("all are counted", async || {
        let counted = traffic(&proxy).await;
        (counted.failed > 0).then_some(counted)
    })
    .await;
    let expected = Traffic { server: STANDBY, routed: 6, served: 5, failed: 1 };
    assert_eq!(counted, expected);
}

#[tokio::test]
async fn after_a_restart_the_state_is_what_the_file_says() {
    let mut stack = Stack::start("").await;
    let proxy = stack.adapter();
    proxy.join(order(STANDBY, 1), 100, Span::ZERO).await.unwrap();
    stack.stop();
    let down = proxy.state(ask()).await.map_err(|why| why.failure);
    assert_eq!(down, Err(Failure::Unreachable));
    stack.run().await;
    assert!(!is_routed(&proxy).await, "it forgot");
    assert_eq!(traffic(&proxy).await.routed, 0);
    proxy.join(order(STANDBY, 2), 100, Span::ZERO).await.unwrap();
    assert!(is_routed(&proxy).await);
}

#[tokio::test]
async fn a_server_that_does_not_pass_the_check_of_haproxy_is_not_joined() {
    let stack = Stack::start("").await;
    stack.servers.sicken();
    let proxy = stack.adapter();
    let joins = proxy.join(order(STANDBY, 1), 100, Span::ZERO);
    tokio::pin!(joins);
    tokio::select! {
        done = &mut joins => panic!("{done:?}"),
        () = stack.servers.checked(5) => {}
    }
    assert!(!is_routed(&proxy).await);
    let later = proxy.drain(order(STANDBY, 2)).await;
    assert_eq!(later, Ok(()));
    assert_eq!(joins.await.map_err(|why| why.failure), Err(Failure::Fenced));
}

#[tokio::test]
async fn what_haproxy_cannot_do_is_refused_with_what_to_do() {
    let stack = Stack::start("").await;
    let proxy = stack.adapter();
    assert_eq!(refusal(&proxy, 257, Span::ZERO).await, "the weight is 257; HAProxy takes 1 to 256");
    assert_eq!(
        refusal(&proxy, 100, Span::from_secs(30)).await,
        "the slow start is 30s, but `slowstart` in HAProxy's file is 0s"
    );
    let config = |backend: &str| HaproxyConfig { backend: backend.to_owned(), ..stack.config() };
    let elsewhere = Haproxy::new(config("nowhere"), clock()).unwrap();
    let why = elsewhere.state(ask()).await.unwrap_err();
    assert_eq!(why.what, "HAProxy says: No such proxy.");
    let bad = Haproxy::new(config("app; shutdown sessions"), clock()).unwrap_err();
    assert!(bad.to_string().contains("is not a name"), "{bad}");
}

#[tokio::test]
async fn a_slow_start_of_its_file_raises_the_weight_from_nothing() {
    let stack = Stack::start("slowstart 10m").await;
    let slow_start = Span::from_mins(10);
    let proxy = Haproxy::new(HaproxyConfig { slow_start, ..stack.config() }, clock()).unwrap();
    proxy.join(order(STANDBY, 1), 100, slow_start).await.unwrap();
    let throttled = stack.throttle("app1").await;
    assert!((1..100).contains(&throttled), "{throttled} %");
}
