//! Hosts many groups on fakes, and prints what that takes: `cargo run --release -p tidegate-driver
//! --example scale -- [GROUPS] [SECONDS]`. Each group is looked at every 15 seconds; in a tenth of
//! them, alerts ask for a standby.
#![expect(clippy::print_stdout, reason = "figures are for whoever started it")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tidegate_core::policy::Policy;
use tidegate_core::{Alert, Defects, GroupConfig, Ratio, RuleId, Span, StepName, Timestamp};
use tidegate_driver::clock::{Clock, SystemClock};
use tidegate_driver::fakes::{FakeGroup, Times};
use tidegate_driver::runtime::{Deaf, Group, Host, Limits, Mode, Setup};
use tidegate_driver::store::SqliteStore;

const POLICY: &str = r#"
    evidence.from = "alerts"
    up = [{ metric = "cpu", above = "75%" }]
    down = [{ metric = "cpu", below = "30%" }]
"#;

/// One group in so many is alerted.
const ALERTED: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u32>());
    let groups = arguments.next().transpose()?.unwrap_or(10_000) as usize;
    let seconds = arguments.next().transpose()?.unwrap_or(60);
    let directory = std::env::temp_dir().join(format!("tidegate-scale-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(measure(groups, seconds, &directory));
    std::fs::remove_dir_all(&directory)?;
    result
}

async fn measure(
    groups: usize,
    seconds: u32,
    directory: &std::path::Path,
) -> Result<(), Box<dyn Error>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = SqliteStore::open(&directory.join("state.db"), None).await?;
    let setup = Setup {
        store: Arc::new(store),
        clock: clock.clone(),
        listener: Arc::new(Deaf),
        limits: Limits::default(),
        mode: Mode::Act,
    };
    let policy: Policy = toml::from_str(POLICY)?;
    let fake = |_| Arc::new(FakeGroup::new(clock.clone(), 1, Times::default()));
    let fakes: Vec<_> = (0..groups).map(fake).collect();
    let hosted = (0..).zip(&fakes).map(|(number, fake): (usize, _)| {
        fake.load_from(clock.now(), Ratio::from_percent(90));
        let (policy, defects) = (policy.clone(), Defects::default());
        let config =
            GroupConfig { standbys: 1, primary_weight: 1, standby_weight: 1, policy, defects };
        Group { name: format!("group-{number}"), config, ports: FakeGroup::ports(fake) }
    });
    let host = Host::start(&setup, hosted.collect()).await?;
    let handle = host.handle();
    let running = tokio::spawn(host.run());
    // The first looks are over, and with them the first lines of all groups.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let before = processor_seconds();
    let mut alerted: Vec<(&FakeGroup, Timestamp)> = Vec::new();
    let asked = fakes.len().div_ceil(ALERTED).max(1) as u32;
    for fake in fakes.iter().step_by(ALERTED) {
        let now = clock.now();
        let since = now - Span::from_mins(1);
        fake.alert(vec![Alert { rule: RuleId(0), since, resolved: false, at: now }]);
        alerted.push((fake, now));
        tokio::time::sleep(Duration::from_secs(u64::from(seconds)) / asked).await;
    }
    let busy = processor_seconds() - before;
    let mut waits: Vec<f64> = alerted.iter().filter_map(|(fake, at)| wait(fake, *at)).collect();
    waits.sort_by(f64::total_cmp);
    let quantile = |part: usize| waits.get((waits.len().max(1) - 1) * part / 100).copied();
    println!("{groups} groups, each looked at every 15 s, for {seconds} s, journal on disk");
    println!("processor time: {:.1} % of one core", 100.0 * busy / f64::from(seconds));
    println!("peak memory: {} MiB", peak_kibibytes() / 1_024);
    println!(
        "from an alert to the provider's call, {} of {asked} alerts: p50 {:.1?} ms, p99 {:.1?} ms",
        waits.len(),
        quantile(50).unwrap_or(f64::NAN),
        quantile(99).unwrap_or(f64::NAN),
    );
    handle.stop();
    Ok(running.await??)
}

/// Milliseconds from `at` until the provider was called.
fn wait(fake: &FakeGroup, at: Timestamp) -> Option<f64> {
    let applied = fake.applied();
    let start = applied.iter().find(|one| one.step == StepName::PowerOn)?;
    Some(start.at.since(at).as_secs_f64() * 1e3)
}

/// What Linux says that this process used of processors, in seconds; ticks are hundredths.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

fn peak_kibibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
