mod clients;
mod envoy;
mod haproxy;
mod nginx;
mod servers;

use tidegate_core::{Failure, ServerId, Span};
use tidegate_driver::ports::{Proxy, Routing};

use crate::support::{ask, eventually, fake, order};

use clients::Clients;
use servers::Servers;

const STANDBY: ServerId = ServerId(1);

pub async fn standby(proxy: &dyn Proxy) -> Routing {
    let states = proxy.state(ask()).await.unwrap();
    states.into_iter().find(|state| state.server == STANDBY).unwrap()
}

pub async fn is_routed(proxy: &dyn Proxy) -> bool {
    standby(proxy).await.routed.unwrap().value
}

/// Why a join is refused.
async fn refusal(proxy: &dyn Proxy, weight: u16, slow_start: Span) -> String {
    let why = proxy.join(order(STANDBY, 1), weight, slow_start).await.unwrap_err();
    assert_eq!(why.failure, Failure::Refused);
    why.what
}

/// The standby gets all traffic.
async fn serves_alone(proxy: &dyn Proxy) {
    proxy.join(order(STANDBY, 1), 100, Span::ZERO).await.unwrap();
    proxy.drain(order(ServerId::PRIMARY, 1)).await.unwrap();
}

/// The standby has no request in flight any more.
async fn is_idle(proxy: &dyn Proxy) {
    eventually("nothing in flight", async || {
        (standby(proxy).await.in_flight?.value == 0).then_some(())
    })
    .await;
}

/// A drained server has its request in flight until it is answered, and gets no other. `get` asks
/// the proxy.
async fn drains_in_peace<A>(proxy: &dyn Proxy, servers: &Servers, get: impl Fn(&'static str) -> A)
where
    A: Future<Output = String> + Send + 'static,
{
    serves_alone(proxy).await;
    let slow = tokio::spawn(get("/slow"));
    eventually("a request in flight", async || {
        (standby(proxy).await.in_flight?.value == 1).then_some(())
    })
    .await;
    proxy.drain(order(STANDBY, 2)).await.unwrap();
    proxy.join(order(ServerId::PRIMARY, 2), 100, Span::ZERO).await.unwrap();
    assert_eq!(get("/").await, "app0", "nothing new is sent there");
    assert_eq!(standby(proxy).await.in_flight.unwrap().value, 1);
    servers.release();
    assert_eq!(slow.await.unwrap(), "app1");
    is_idle(proxy).await;
}

/// No request of clients who keep their connections as long as they are let fails at a change.
async fn changes_in_peace(proxy: &dyn Proxy, port: u16) {
    let clients = Clients::start(port, 8);
    for generation in (1..10).step_by(2) {
        proxy.join(order(STANDBY, generation), 100, Span::ZERO).await.unwrap();
        proxy.drain(order(STANDBY, generation + 1)).await.unwrap();
    }
    let tally = clients.stop().await;
    assert!(tally.answered > 0);
    assert_eq!(tally.failed, Vec::<String>::new());
}

async fn keeps_the_contract(proxy: &dyn Proxy) {
    assert!(!is_routed(proxy).await, "a standby is declared as one that gets nothing");
    let join = async |generation| {
        proxy.join(order(STANDBY, generation), 100, Span::ZERO).await.map_err(|why| why.failure)
    };
    let drain =
        async |generation| proxy.drain(order(STANDBY, generation)).await.map_err(|why| why.failure);
    assert_eq!(drain(1).await, Ok(()), "what gets nothing is drained");
    assert!(!is_routed(proxy).await);
    for _ in 0..2 {
        assert_eq!(join(2).await, Ok(()));
        assert!(is_routed(proxy).await, "done when it is so");
    }
    assert_eq!(drain(1).await, Err(Failure::Fenced));
    assert!(is_routed(proxy).await, "what was refused has no effect");
    for _ in 0..2 {
        assert_eq!(drain(3).await, Ok(()));
        assert!(!is_routed(proxy).await);
    }
    assert_eq!(join(2).await, Err(Failure::Fenced));
    is_idle(proxy).await;
    assert_eq!(join(4).await, Ok(()), "and back again");
    assert!(is_routed(proxy).await);
    let stranger = proxy.drain(order(ServerId(9), 5)).await.map_err(|why| why.failure);
    assert_eq!(stranger, Err(Failure::Refused));
}

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    keeps_the_contract(&*fake()).await;
}
