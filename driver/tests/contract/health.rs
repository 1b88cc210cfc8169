//! Checks of what a server has of its own and of what it shares.

mod redis_alone;
mod web;

use rustix::process::Signal;
use tidegate_core::{Failure, Health, ServerId, Span};
use tidegate_driver::adapters::http_probes::{
    HttpCheck, HttpProbes, HttpProbesConfig, HttpProbesConfigError, ServerProbes,
};
use tidegate_driver::adapters::shared::{
    Shared, SharedConfig, SharedWays, StorageThere, StorageWay,
};
use tidegate_driver::ports::{Checks, Probes, SharedState};

use crate::support::{Folder, ask, fake};

use redis_alone::RedisAlone;
use web::Web;

const OWN: Health = Health::BENCHES.with(Health::SERVICES);
const SHARED: Health = Health::STORAGE.with(Health::REDIS);
const STANDBY: ServerId = ServerId(1);

fn good_and_bad(checks: Checks) -> (Health, Health) {
    (checks.good, checks.bad)
}

fn check(url: String) -> HttpCheck {
    let contains = Some("pong".to_owned());
    HttpCheck { url, host: Some("site.test".to_owned()), status: 200, contains }
}

fn probes(bench: String, service: String) -> HttpProbes {
    let own = ServerProbes { benches: vec![check(bench)], services: vec![check(service)] };
    let timeout = Span::from_millis(500);
    HttpProbes::new(HttpProbesConfig { servers: vec![own], timeout }).unwrap()
}

async fn keeps_the_contract(probes: &dyn Probes) {
    let asked = ask();
    let checks = probes.check(ServerId::PRIMARY, asked).await.unwrap();
    assert_eq!(checks, Checks::unknown(asked.now).with(OWN, true));
    let stranger = probes.check(ServerId(9), ask()).await.map_err(|why| why.failure);
    assert_eq!(stranger, Err(Failure::Refused));
}

#[tokio::test]
async fn the_fake_and_the_real_probes_keep_the_contract() {
    keeps_the_contract(&*fake()).await;
    let web = Web::start().await;
    keeps_the_contract(&probes(web.at("/ping"), web.at("/ping"))).await;
}

#[tokio::test]
async fn a_port_that_is_open_is_not_health() {
    let web = Web::start().await;
    for bad in ["/silent", "/error", "/other", "/elsewhere"] {
        let checks = probes(web.at("/ping"), web.at(bad)).check(ServerId::PRIMARY, ask()).await;
        assert_eq!(good_and_bad(checks.unwrap()), (Health::BENCHES, Health::SERVICES), "{bad}");
    }
    let nobody = format!("http://127.0.0.1:{}/ping", crate::support::free_port());
    let checks = probes(nobody, web.at("/ping")).check(ServerId::PRIMARY, ask()).await.unwrap();
    assert_eq!(good_and_bad(checks), (Health::SERVICES, Health::BENCHES));
}

#[test]
fn a_part_without_a_check_is_refused() {
    let own = ServerProbes { benches: vec![check("http://a/".to_owned())], services: Vec::new() };
    let config = HttpProbesConfig { servers: vec![own], timeout: Span::from_secs(1) };
    let why = HttpProbes::new(config).unwrap_err();
    assert_eq!(why, HttpProbesConfigError::Unchecked(ServerId::PRIMARY, "services"));
}

fn shared(ways: [(&RedisAlone, &Folder); 2]) -> Shared {
    let ways = ways.map(|(redis, folder)| SharedWays {
        redis: redis.config(),
        storage: StorageWay::Here(folder.path("")),
    });
    let timeout = Span::from_secs(1);
    Shared::new(SharedConfig { group: "test".to_owned(), servers: ways.into(), timeout }).unwrap()
}

#[tokio::test]
async fn what_one_server_writes_the_other_reads_or_it_is_not_shared() {
    let (one, other) = (RedisAlone::start().await, RedisAlone::start().await);
    let (disk, other_disk) = (Folder::new(), Folder::new());
    let of = async |shared: Shared| {
        good_and_bad(SharedState::check(&shared, STANDBY, ask()).await.unwrap())
    };
    let same = shared([(&one, &disk), (&one, &disk)]);
    assert_eq!(of(same).await, (SHARED, Health::NONE));
    let two_caches = shared([(&one, &disk), (&other, &disk)]);
    assert_eq!(of(two_caches).await, (Health::STORAGE, Health::REDIS));
    let two_disks = shared([(&one, &disk), (&one, &other_disk)]);
    assert_eq!(of(two_disks).await, (Health::REDIS, Health::STORAGE));
}

#[tokio::test]
async fn a_storage_is_reached_on_the_server_itself_too() {
    let (redis, disk) = (RedisAlone::start().await, Folder::new());
    let way = |storage| SharedWays { redis: redis.config(), storage };
    let through = |words: &[&str]| StorageThere {
        folder: disk.path(""),
        through: words.iter().map(|word| (*word).to_owned()).collect(),
    };
    for (words, health) in [(&["env"][..], SHARED), (&["false"], Health::REDIS)] {
        let servers =
            vec![way(StorageWay::Here(disk.path(""))), way(StorageWay::There(through(words)))];
        let timeout = Span::from_secs(5);
        let config = SharedConfig { group: "test".to_owned(), servers, timeout };
        let checks = Shared::new(config).unwrap().check(STANDBY, ask()).await.unwrap();
        assert_eq!(good_and_bad(checks).0, health, "{words:?}");
    }
}

#[tokio::test]
async fn a_redis_and_a_mount_that_hang_are_bad_and_good_again_after_it() {
    let redis = RedisAlone::start().await;
    let disk = Folder::new();
    let shared = shared([(&redis, &disk), (&redis, &disk)]);
    let of = async || good_and_bad(shared.check(STANDBY, ask()).await.unwrap());
    assert_eq!(of().await, (SHARED, Health::NONE));
    redis.signal(Signal::STOP);
    // A pipe that nobody writes to hangs whoever opens it, as a frozen mount does.
    let file = disk.path(".tidegate-test-standby-1");
    std::fs::remove_file(&file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(made.success());
    for _ in 0..3 {
        assert_eq!(of().await, (Health::NONE, SHARED));
    }
    redis.signal(Signal::CONT);
    let reader = std::fs::read(&file).unwrap();
    assert!(!reader.is_empty(), "what hung went on");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(of().await, (SHARED, Health::NONE));
}
