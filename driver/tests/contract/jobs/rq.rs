mod stack;

use std::time::Duration;

use tidegate_core::{Failure, ServerId, Span};
use tidegate_driver::adapters::rq::{Rq, RqConfig, ServerWorkers};
use tidegate_driver::adapters::{RedisConfig, SecretSource};
use tidegate_driver::ports::Jobs;

use super::{PRIMARY, busy, keeps_the_contract, of};
use crate::support::{ask, clock, eventually, order};

use stack::{PASSWORD, Stack, Version};

const STANDBY: ServerId = ServerId(1);

#[tokio::test]
async fn version_1_keeps_the_contract() {
    let mut stack = Stack::start(Version::V1).await;
    stack.work("a1", &["default"], &[]).await;
    keeps_the_contract(&stack.adapter()).await;
}

#[tokio::test]
async fn version_2_keeps_the_contract() {
    let mut stack = Stack::start(Version::V2).await;
    stack.work("a1", &["default"], &[]).await;
    keeps_the_contract(&stack.adapter()).await;
}

#[tokio::test]
async fn version_3_keeps_the_contract() {
    let mut stack = Stack::start(Version::V3).await;
    stack.work("a1", &["default"], &[]).await;
    keeps_the_contract(&stack.adapter()).await;
}

/// A job that runs is finished, none is begun after it, and asking twice kills nothing.
async fn finishes_its_job(version: Version) {
    let mut stack = Stack::start(version).await;
    let jobs = stack.adapter();
    stack.work("a1", &["default"], &[]).await;
    stack.enqueue("default", 0..2);
    stack.has("LLEN", "test:begun", 1).await;
    assert_eq!((busy(&jobs, PRIMARY).await, busy(&jobs, STANDBY).await), (1, 0));
    jobs.quiesce(order(PRIMARY, 1)).await.unwrap();
    assert!(!of(&jobs, PRIMARY).await.registered.unwrap().value, "it takes no other");
    // Within a second RQ takes a second signal for the first.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    jobs.quiesce(order(PRIMARY, 1)).await.unwrap();
    assert_eq!(busy(&jobs, PRIMARY).await, 1);
    stack.redis::<()>(&["SET", "test:release", "1"]).await;
    stack.has("SCARD", "rq:workers", 0).await;
    assert_eq!(busy(&jobs, PRIMARY).await, 0);
    stack.has("LLEN", "rq:queue:default", 1).await;
    jobs.resume(order(PRIMARY, 2)).await.unwrap();
    stack.release(2).await;
}

#[tokio::test]
async fn version_1_finishes_its_job() {
    finishes_its_job(Version::V1).await;
}

#[tokio::test]
async fn version_2_finishes_its_job() {
    finishes_its_job(Version::V2).await;
}

#[tokio::test]
async fn version_3_finishes_its_job() {
    finishes_its_job(Version::V3).await;
}

/// A worker is told to end when it has taken a job and not begun it: the job is put back first.
async fn loses_no_job(version: Version, queues: &[&str]) {
    let mut stack = Stack::start(version).await;
    let jobs = stack.adapter();
    stack.work("a1", queues, &["-w", "work.SlowWorker"]).await;
    stack.enqueue("default", 0..2);
    eventually("a job is taken", async || {
        let taken: Option<u32> = stack.redis(&["GET", "test:taken"]).await;
        taken.map(|_| ())
    })
    .await;
    jobs.quiesce(order(PRIMARY, 1)).await.unwrap();
    stack.has("SCARD", "rq:workers", 0).await;
    let waiting: usize = stack.redis(&["LLEN", "rq:queue:default"]).await;
    assert_eq!(waiting, 2, "the job is in its queue again");
    stack.work("b1", queues, &[]).await;
    stack.release(2).await;
    let begun: Vec<u32> = stack.redis(&["LRANGE", "test:begun", "0", "-1"]).await;
    assert_eq!(begun, [0, 1], "at the head of it");
}

#[tokio::test]
async fn version_1_loses_no_job_of_one_queue() {
    loses_no_job(Version::V1, &["default"]).await;
}

#[tokio::test]
async fn version_2_loses_no_job_of_one_queue() {
    loses_no_job(Version::V2, &["default"]).await;
}

#[tokio::test]
async fn version_3_loses_no_job_of_one_queue() {
    loses_no_job(Version::V3, &["default"]).await;
}

#[tokio::test]
async fn version_1_loses_no_job_of_several_queues() {
    loses_no_job(Version::V1, &["high", "default"]).await;
}

#[tokio::test]
async fn version_2_loses_no_job_of_several_queues() {
    loses_no_job(Version::V2, &["high", "default"]).await;
}

#[tokio::test]
async fn version_3_loses_no_job_of_several_queues() {
    loses_no_job(Version::V3, &["high", "default"]).await;
}

#[tokio::test]
async fn a_job_that_another_server_is_about_to_begin_is_waited_for() {
    let mut stack = Stack::start(Version::V3).await;
    let config = RqConfig { put_back_after: Span::from_hours(1), ..stack.config() };
    let jobs = Rq::new(config, clock()).unwrap();
    stack.work("b1", &["default"], &["-w", "work.SlowWorker"]).await;
    stack.enqueue("default", 0..1);
    stack.has("LLEN", "rq:queue:default:intermediate", 1).await;
    assert_eq!((busy(&jobs, PRIMARY).await, busy(&jobs, STANDBY).await), (0, 1));
    let quiesces = jobs.quiesce(order(PRIMARY, 1));
    tokio::pin!(quiesces);
    tokio::select! {
        done = &mut quiesces => panic!("{done:?}"),
        () = eventually("it is seen", async || {
            let seen: Vec<String> = stack.redis(&["KEYS", "tidegate:stuck:*"]).await;
            (seen.len() == 1).then_some(())
        }) => {}
    }
    stack.redis::<()>(&["SET", "test:begin", "1"]).await;
    quiesces.await.unwrap();
    stack.release(1).await;
    stack.has("LLEN", "rq:queue:default", 0).await;
}

#[tokio::test]
async fn a_redis_that_comes_back_is_asked_again() {
    let mut stack = Stack::start(Version::V3).await;
    let jobs = stack.adapter();
    assert_eq!(busy(&jobs, PRIMARY).await, 0);
    stack.stop_redis();
    let why = jobs.workers(ask()).await.unwrap_err();
    assert_eq!(why.failure, Failure::Unreachable, "{why}");
    stack.run_redis().await;
    assert_eq!(busy(&jobs, PRIMARY).await, 0);
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_no_password_is_shown() {
    let stack = Stack::start(Version::V3).await;
    let jobs = stack.adapter();
    assert!(!format!("{jobs:?}").contains(PASSWORD));
    let wrong = stack.folder.write("wrong", "abracadabra");
    let redis = RedisConfig { password: Some(SecretSource::File(wrong)), ..stack.config().redis };
    let stranger = Rq::new(RqConfig { redis, ..stack.config() }, clock()).unwrap();
    let why = stranger.workers(ask()).await.unwrap_err();
    assert_eq!(why.failure, Failure::Refused);
    assert!(!why.what.contains("abracadabra"), "{why}");
    let url = "redis://:secret@localhost".to_owned();
    let in_the_open = RedisConfig { url, ca: None, user: None, password: None };
    let why = Rq::new(RqConfig { redis: in_the_open, ..stack.config() }, clock()).unwrap_err();
    assert!(why.to_string().contains("holds no password"), "{why}");
    let nameless = vec![ServerWorkers::default()];
    let why = Rq::new(RqConfig { servers: nameless, ..stack.config() }, clock()).unwrap_err();
    assert_eq!(
        why.to_string(),
        "the workers of primary need an `address`, a `name_prefix` or both"
    );
    let mut config = stack.config();
    config.servers[0].start = None;
    let unstartable = Rq::new(config, clock()).unwrap();
    let why = unstartable.resume(order(PRIMARY, 1)).await.unwrap_err();
    assert!(why.what.contains("no `start` command"), "{why}");
}
