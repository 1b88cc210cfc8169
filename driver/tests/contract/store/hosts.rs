//! Hosts that share a database: one acts, and another when it may no more.

mod stage;

use tidegate_core::Input;

use super::postgres::{admin, place};
use super::server::Server;
use crate::support::{clock, eventually};

use stage::{Frost, LEASE, Scene};

#[tokio::test]
async fn when_the_host_that_acts_is_gone_another_takes_over_within_its_lease() {
    let server = Server::start();
    let scene = Scene::new(place(&server, LEASE).await);
    let first = scene.host().await;
    eventually("the first acts", async || first.control.groups().await.ok()).await;
    let second = scene.host().await;
    eventually("the second waits", async || second.told("waits").then_some(())).await;
    let started = async || (!scene.servers.applied().is_empty()).then_some(());
    eventually("a machine is started", started).await;
    first.kill().await;
    let gone = clock().now();
    eventually("the standby serves", async || scene.serves(&second).await).await;
    second.stop().await;
    let journal = scene.journal().await;
    let takes_over = |input: &Input| matches!(input, Input::TakeOver { .. });
    let takeover = journal.iter().find(|entry| takes_over(&entry.input)).unwrap().at;
    assert!(takeover > gone, "the first one's lines came before");
    assert!(takeover <= gone + LEASE.times(2), "{takeover:?} is long after {gone:?}");
    scene.came_to_its_end().await;
    let third = scene.host().await;
    eventually("the third acts", async || third.control.groups().await.ok()).await;
    assert!(!third.told("waits"), "the second gave its lease back");
    third.stop().await;
}

#[tokio::test]
async fn a_host_that_stood_still_past_its_lease_orders_nothing_in_its_term() {
    let server = Server::start();
    let scene = Scene::new(place(&server, LEASE).await);
    let frost = Frost::over(&scene);
    frost.fallen().await;
    let admin = admin(&server).await.unwrap();
    let over = "SELECT FROM tidegate.lease WHERE until < clock_timestamp()";
    eventually("its lease is over", async || admin.query_opt(over, &[]).await.unwrap()).await;
    frost.thaw();
    eventually("it has another turn", async || frost.told("in term 1").then_some(())).await;
    assert!(frost.told("acts no more"));
    eventually("the standby serves", async || frost.serves().await).await;
    frost.stop().await;
    assert_eq!(scene.terms_of_starts(), [1], "what term 0 decided was not done in it");
    scene.came_to_its_end().await;
}

#[tokio::test]
async fn a_host_that_stood_still_while_another_took_over_waits_for_its_turn() {
    let server = Server::start();
    let scene = Scene::new(place(&server, LEASE).await);
    let frost = Frost::over(&scene);
    frost.fallen().await;
    let second = scene.host().await;
    eventually("the standby serves", async || scene.serves(&second).await).await;
    frost.thaw();
    eventually("the first waits", async || frost.told("waits").then_some(())).await;
    assert_eq!(scene.terms_of_starts(), [1]);
    second.stop().await;
    eventually("it is its turn", async || frost.told("in term 2").then_some(())).await;
    frost.stop().await;
    scene.came_to_its_end().await;
}

#[tokio::test]
async fn a_host_whose_database_is_away_acts_no_more_until_it_is_back() {
    let mut server = Server::start();
    let scene = Scene::new(place(&server, LEASE).await);
    let host = scene.host().await;
    eventually("the standby serves", async || scene.serves(&host).await).await;
    server.down();
    eventually("it acts no more", async || host.told("acts no more").then_some(())).await;
    server.up();
    eventually("it acts again", async || host.told("in term 1").then_some(())).await;
    host.stop().await;
    scene.came_to_its_end().await;
}
