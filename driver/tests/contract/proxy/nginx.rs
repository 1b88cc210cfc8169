mod stack;

use std::collections::BTreeSet;

use tidegate_core::{Failure, ServerId, Span};
use tidegate_driver::adapters::nginx::{Nginx, NginxConfig};
use tidegate_driver::ports::{Order, Proxy, Traffic};

use super::{
    STANDBY, changes_in_peace, is_idle, is_routed, keeps_the_contract, refusal, serves_alone,
    standby,
};
use crate::support::{ask, clock, eventually, order};

use stack::Stack;

async fn join(proxy: &Nginx, generation: u64) -> Result<(), Failure> {
    let joined = proxy.join(order(STANDBY, generation), 100, Span::ZERO).await;
    joined.map_err(|why| why.failure)
}

/// The standby alone, with traffic.
async fn joined(stack: &Stack) -> Nginx {
    let proxy = stack.adapter();
    serves_alone(&proxy).await;
    proxy
}

/// Joins the standby with a host that is killed once the file `told` is there.
async fn killed(stack: &Stack, proxy: &Nginx) {
    let told = stack.folder.path("told");
    tokio::select! {
        ended = join(proxy, 1) => panic!("{ended:?}"),
        () = eventually("the reload", async || told.exists().then_some(())) => {}
    }
    assert!(stack.before().exists());
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let stack = Stack::start("", "").await;
    keeps_the_contract(&stack.adapter()).await;
    assert!(!stack.before().exists());
}

#[tokio::test]
async fn a_request_in_flight_across_a_drain_is_served_and_the_server_is_not_idle_before() {
    let stack = Stack::start("", "").await;
    let proxy = joined(&stack).await;
    let slow = tokio::spawn(stack.get("/slow"));
    stack.servers.has_slow(1).await;
    proxy.join(order(ServerId::PRIMARY, 2), 100, Span::ZERO).await.unwrap();
    proxy.drain(order(STANDBY, 2)).await.unwrap();
    assert_eq!(stack.get("/").await, "app0", "nothing new is sent there");
    let draining = standby(&proxy).await;
    assert!(!draining.routed.unwrap().value);
    assert_eq!(draining.in_flight, None, "how many there are is not known, but not none");
    stack.servers.release();
    assert_eq!(slow.await.unwrap(), "app1");
    is_idle(&proxy).await;
}

#[tokio::test]
async fn what_a_server_did_before_it_broke_is_not_done_again_by_another() {
    for (location, posts) in [("", 1), ("proxy_next_upstream error non_idempotent;", 2)] {
        let stack = Stack::start("", location).await;
        assert_eq!(join(&stack.adapter(), 1).await, Ok(()));
        assert_eq!(stack.status("POST", "/broken").await, "502");
        assert_eq!(stack.servers.broken(), posts, "{location}");
        assert_eq!(stack.status("GET", "/broken").await, "502");
        assert_eq!(stack.servers.broken(), posts + 2, "what is idempotent is tried again");
    }
}

#[tokio::test]
async fn a_host_that_was_killed_before_the_reload_leaves_what_was_in_force() {
    let stack = Stack::start("", "").await;
    killed(&stack, &stack.reloading_by("touch told; exec sleep 1000")).await;
    let proxy = stack.adapter();
    assert!(!stack.read("app.conf").contains("down"), "the file is written");
    assert!(!is_routed(&proxy).await, "and nginx does not work by it");
    assert_eq!(standby(&proxy).await.in_flight.unwrap().value, 0);
    assert_eq!(join(&proxy, 1).await, Ok(()), "it comes again under its fence");
    assert!(is_routed(&proxy).await && !stack.before().exists());
}

#[tokio::test]
async fn a_host_that_was_killed_after_the_reload_leaves_what_is_not_certain() {
    let stack = Stack::start("", "").await;
    killed(&stack, &stack.reloading_by("$reload; touch told; exec sleep 1000")).await;
    let proxy = stack.adapter();
    eventually("nginx works by it", async || (stack.get("/").await == "app1").then_some(())).await;
    let unsure = standby(&proxy).await;
    assert_eq!((unsure.routed, unsure.in_flight), (None, None), "nobody saw the end");
    proxy.drain(order(STANDBY, 2)).await.unwrap();
    assert!(!is_routed(&proxy).await && !stack.before().exists());
    assert_eq!(stack.get("/").await, "app0");
}

#[tokio::test]
async fn what_nginx_does_not_take_is_put_back() {
    let stack = Stack::start("", "").await;
    let (proxy, good) = (stack.adapter(), stack.read("nginx.conf"));
    let file = stack.read("app.conf");
    stack.append("nginx.conf", "nonsense;\n");
    let why = proxy.join(order(STANDBY, 1), 100, Span::ZERO).await.unwrap_err();
    assert_eq!(why.failure, Failure::Refused);
    assert!(why.what.contains("unknown directive \"nonsense\" in /"), "{why}");
    assert_eq!(stack.read("app.conf"), file);
    assert!(!is_routed(&proxy).await && !stack.before().exists());
    stack.folder.write("nginx.conf", &good);
    assert_eq!(join(&proxy, 1).await, Ok(()));
    assert!(is_routed(&proxy).await);
}

#[tokio::test]
async fn a_reload_that_has_no_effect_is_told_and_not_taken_for_one() {
    let stack = Stack::start("", "").await;
    let deaf = stack.reloading_by("true");
    let short = Order { deadline: ask().now, ..order(STANDBY, 1) };
    let why = deaf.join(short, 100, Span::ZERO).await.unwrap_err();
    assert_eq!(why.failure, Failure::TimedOut);
    assert!(why.what.contains("see its error log"), "{why}");
    assert!(!is_routed(&deaf).await);
    assert_eq!(join(&stack.adapter(), 1).await, Ok(()));
    assert!(is_routed(&stack.adapter()).await);
}

#[tokio::test]
async fn an_older_controller_is_refused_by_what_stands_in_the_file() {
    let stack = Stack::start("", "").await;
    assert_eq!(join(&stack.adapter(), 5).await, Ok(()));
    let older = stack.adapter();
    let drained = older.drain(order(STANDBY, 4)).await.map_err(|why| why.failure);
    assert_eq!(drained, Err(Failure::Fenced));
    assert!(is_routed(&older).await);
}

#[tokio::test]
async fn a_later_order_ends_one_that_waits() {
    let stack = Stack::start("", "").await;
    let proxy = stack.reloading_by("test -e told && exec $reload; touch told");
    let joins = proxy.join(order(STANDBY, 1), 100, Span::ZERO);
    tokio::pin!(joins);
    tokio::select! {
        done = &mut joins => panic!("{done:?}"),
        () = eventually("the reload", async || {
            stack.folder.path("told").exists().then_some(())
        }) => {}
    }
    let (first, later) = tokio::join!(joins, proxy.drain(order(STANDBY, 2)));
    assert_eq!((first.map_err(|why| why.failure), later), (Err(Failure::Fenced), Ok(())));
    assert!(!is_routed(&proxy).await && !stack.before().exists());
}

#[tokio::test]
async fn orders_that_come_at_once_are_all_carried_out() {
    let stack = Stack::start("", "").await;
    let (one, other) = (stack.adapter(), stack.adapter());
    for (generation, proxies) in [(1, [&one, &one]), (3, [&one, &other])] {
        let (joined, primary) = tokio::join!(
            join(proxies[0], generation),
            proxies[1].join(order(ServerId::PRIMARY, generation), 200, Span::ZERO),
        );
        assert_eq!((joined, primary), (Ok(()), Ok(())));
        assert!(is_routed(&one).await && !stack.before().exists());
        let file = stack.read("app.conf");
        assert!(file.contains("weight=200;") && !file.contains("down"), "{file}");
        let drained = tokio::join!(
            proxies[0].drain(order(STANDBY, generation + 1)),
            proxies[1].join(order(ServerId::PRIMARY, generation + 1), 100, Span::ZERO),
        );
        assert_eq!(drained, (Ok(()), Ok(())));
        assert!(!is_routed(&one).await && !stack.before().exists());
    }
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let mut stack = Stack::start("", "").await;
    let proxy = joined(&stack).await;
    stack.stop();
    let down = proxy.state(ask()).await.map_err(|why| why.failure);
    assert_eq!(down, Err(Failure::Unreachable));
    assert_eq!(join(&proxy, 2).await, Err(Failure::Unreachable));
    stack.run().await;
    assert!(is_routed(&proxy).await);
    let answers: Vec<_> = [stack.get("/").await, stack.get("/").await].into();
    assert_eq!(answers, ["app1", "app1"]);
}

#[tokio::test]
async fn requests_are_counted_from_the_log_and_when_it_is_moved() {
    let stack = Stack::start("", "").await;
    let proxy = joined(&stack).await;
    let counted = async || standby(&proxy).await.counted.unwrap();
    assert_eq!(counted().await.routed, 0);
    for _ in 0..5 {
        assert_eq!(stack.get("/").await, "app1");
    }
    assert_eq!(stack.status("POST", "/broken").await, "502");
    let is = async |served, failed| {
        let expected = Traffic { server: STANDBY, routed: served + failed, served, failed };
        eventually("all are counted", async || (counted().await == expected).then_some(())).await;
    };
    is(5, 1).await;
    std::fs::rename(stack.folder.path("requests.log"), stack.folder.path("old.log")).unwrap();
    assert_eq!(stack.get("/").await, "app1");
    is(6, 1).await;
    stack.reopen().await;
    let mut asked = 6;
    eventually("the new log has a line", async || {
        asked += 1;
        assert_eq!(stack.get("/").await, "app1");
        (!std::fs::read(stack.folder.path("requests.log")).ok()?.is_empty()).then_some(())
    })
    .await;
    is(asked, 1).await;
    let silent = NginxConfig { access_log: None, ..stack.config() };
    let silent = Nginx::new(silent, clock()).unwrap();
    assert_eq!(standby(&silent).await.counted, None, "unknown, and not zero");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_connections_are_not_kept_no_request_fails_at_a_change() {
    let stack = Stack::start("keepalive_timeout 0;", "").await;
    changes_in_peace(&stack.adapter(), stack.port).await;
}

#[tokio::test]
async fn shares_are_as_the_weights() {
    let stack = Stack::start("", "").await;
    let proxy = stack.adapter();
    proxy.join(order(STANDBY, 1), 300, Span::ZERO).await.unwrap();
    let line = stack.read("app.conf").lines().nth(1).unwrap().to_owned();
    assert!(line.contains("max_fails=0 weight=300; # tidegate: generation 1"), "{line}");
    let mut answers = BTreeSet::new();
    for _ in 0..20 {
        answers.insert(stack.get("/").await);
    }
    assert_eq!(answers.into_iter().collect::<Vec<_>>(), ["app0", "app1"]);
}

#[tokio::test]
async fn what_nginx_cannot_do_is_refused_with_what_to_do() {
    let stack = Stack::start("", "").await;
    let proxy = stack.adapter();
    assert_eq!(refusal(&proxy, 0, Span::ZERO).await, "the weight is 0; nginx takes 1 or more");
    let why = refusal(&proxy, 100, Span::from_secs(30)).await;
    assert_eq!(why, "the slow start is 30s, and nginx has none: let the policy's be 0s");
    let with = |servers: [&str; 2]| {
        let servers = servers.map(str::to_owned).into();
        Nginx::new(NginxConfig { servers, ..stack.config() }, clock())
    };
    let bad = with(["a", "b; c"]).unwrap_err();
    assert!(bad.to_string().contains("`b; c` is not one server's address"), "{bad}");
    assert!(with(["a", "a"]).is_err());
    let unknown = with(["a", "b"]).unwrap();
    assert_eq!(unknown.state(ask()).await, Ok(Vec::new()), "neither has a line");
    let why = unknown.drain(order(STANDBY, 1)).await.unwrap_err();
    assert!(why.what.contains("has no line `server b …;`"), "{why}");
}
