//! Files on the shared storage: what an open, a read and a write cost, and who sees what.

use tidegate_core::Span;
use tidegate_core::fact::Fact;
use tidegate_sim::model::Model;

use super::{join, joined, model, pass, world};

const READ: &str = "request.0.phases=[{ nfs = { read = \"10KB\" } }]";
const WRITE: &str = "request.0.phases=[{ nfs = { write = \"10KB\" } }]";
/// A message takes 3 ms, of which 2 are work of the storage, and 10 KB take 10 ms.
const QUIET: [&str; 6] = [
    "load.0.rate=0.5",
    "nfs.latency=1ms",
    "nfs.touch=2ms",
    "nfs.bandwidth=8Mbit/s",
    "redis.touch=0s",
    "proxy.latency=0s",
];

/// Microseconds that each request took, in the order of their answers.
fn took(set: &[&str]) -> Vec<i64> {
    let mut world = world(set);
    pass(&mut world, 29);
    let took = |fact: &Fact| {
        let Fact::RequestServed { latency, .. } = fact else { return None };
        Some(latency.as_nanos() / 1_000)
    };
    world.sink.0.iter().filter_map(|(_, fact)| took(fact)).collect()
}

#[test]
fn a_file_is_fetched_once_and_asked_after_at_each_open() {
    for host in ["nfs.host=own", "nfs.host=primary"] {
        let took = took(&[&QUIET[..], &[READ, host]].concat());
        assert_eq!(took[0], 16_000);
        assert!(took[1..].iter().all(|one| *one == 3_000), "{host}");
    }
}

#[test]
fn without_close_to_open_fresh_attributes_are_not_asked_after() {
    let lax = [READ, "nfs.close_to_open=false", "nfs.attribute_cache=1h"];
    let all = took(&[&QUIET[..], &lax].concat());
    assert_eq!(all[0], 16_000);
    assert!(all[1..].iter().all(|one| *one == 0));
    // Of 0.5 a second, those are asked after that come when 6 s have passed since the last: one
    // in 1 + 0.5 × 6.
    let lax = [READ, "nfs.close_to_open=false", "nfs.attribute_cache=6s"];
    let all = took(&[&QUIET[..], &lax].concat());
    let asked = all[1..].iter().filter(|one| **one == 3_000).count() as f64;
    assert!((asked / all.len() as f64 - 0.25).abs() < 0.02, "{asked} of {}", all.len());
}

#[test]
fn a_write_goes_to_the_storage_each_time() {
    assert!(took(&[&QUIET[..], &[WRITE]].concat()).iter().all(|one| *one == 16_000));
    let unlimited: Vec<&str> =
        QUIET.iter().filter(|set| !set.contains("bandwidth")).copied().collect();
    assert!(took(&[&unlimited[..], &[WRITE]].concat()).iter().all(|one| *one == 6_000));
}

/// M/D/1 with processor sharing: a mean response of d ÷ (1 − ρ).
#[test]
fn transfers_share_the_bandwidth_evenly() {
    let set = [
        "load.0.rate=50",
        "nfs.latency=0s",
        "nfs.touch=0s",
        "nfs.bandwidth=8Mbit/s",
        "redis.touch=0s",
        "proxy.latency=0s",
        "bench.0.name=b",
        "bench.0.workers=100",
        "server.job_workers={ short = 1, default = 1, long = 1 }",
        WRITE,
    ];
    let all = took(&set);
    let mean = all.iter().sum::<i64>() as f64 / all.len() as f64 / 1e3;
    assert!((mean / 20.0 - 1.0).abs() < 0.03, "{mean} ms");
}

/// Two servers read and write the files of six sites.
fn two_servers(more: &[&str]) -> Model {
    let set = [
        "bench.0.name=b",
        "bench.0.sites=6",
        "request=[{ name = \"view\", weight = 9, phases = [{ nfs = { read = \"40KiB\" } }] }, \
         { name = \"save\", phases = [{ nfs = { write = \"100KiB\" } }] }]",
        "load.0.rate=20",
        "policy.schedule.0.servers=2",
        "policy.schedule.0.from=2026-03-02T10:03[UTC]",
        "policy.schedule.0.until=2026-03-02T10:15[UTC]",
    ];
    model(&[&set[..], more].concat())
}

#[test]
fn a_server_sees_what_another_wrote_unless_its_mount_does_without() {
    for (more, expected) in [
        (&[][..], true),
        (&["nfs.close_to_open=false", "nfs.attribute_cache=0s"], true),
        (&["nfs.close_to_open=false", "nfs.attribute_cache=30s"], false),
    ] {
        let model = two_servers(more);
        let finished = tidegate_sim::run::run(&model, &mut std::io::sink(), &mut |_| {}).unwrap();
        let properties = finished.record.summary.properties;
        let shared = properties.iter().find(|one| one.name == "shared-state").unwrap();
        assert!(shared.checked > 30_000, "{shared:?}");
        assert_eq!(shared.holds, expected, "{more:?}: {shared:?}");
    }
}

#[test]
fn a_job_works_on_the_file_of_the_request_that_enqueued_it() {
    let set = [
        "bench.0.name=b",
        "bench.0.sites=50",
        "group.site_skew=1",
        "load.0.rate=1",
        "request.0.phases=[{ nfs = { write = \"1KiB\" } }]",
        "request.0.enqueues={ job = \"j\", share = \"100%\" }",
        "job.0.name=j",
        "job.0.queue=short",
        "job.0.phases=[{ nfs = { read = \"1KiB\" } }]",
    ];
    let mut world = joined(&set, join(4, Span::ZERO));
    pass(&mut world, 20);
    let (mut written, mut read) = (Vec::new(), Vec::new());
    for (_, fact) in &world.sink.0 {
        if let Fact::FileWritten { file, .. } = fact {
            written.push(file.0);
        } else if let Fact::FileRead { file, .. } = fact {
            read.push(file.0);
        }
    }
    let hottest = written.iter().filter(|file| **file == 0).count() as f64 / written.len() as f64;
    // The share of the first of fifty by Zipf's law: 1 ÷ (1 + 1/2 + … + 1/50).
    assert!((hottest - 1.0 / 4.499).abs() < 0.04, "{hottest}");
    written.sort_unstable();
    read.sort_unstable();
    assert!(read.len() > 1_000);
    assert_eq!(written, read);
}
