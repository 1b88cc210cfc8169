//! What the programs of the stack are configured with, and the scenario that it is for.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tidegate_core::policy::{EvidenceFrom, Policy, WallTime};
use tidegate_core::{Span, Timestamp};
use tidegate_sim::model::Model;
use tidegate_sim::scenario::{self, Overrides};

use crate::command::root;

use super::breaks::Break;
use super::failure::{Failure, write};
use super::host::{Host, JOB_WORKERS, folder};
use super::order::Order;
use super::tier::Tier;
use super::{breaks, cgroup, faults, relay, spawn, vm};

const HAPROXY: &str = include_str!("../../staging/haproxy.cfg");
const PROMETHEUS: &str = include_str!("../../staging/prometheus.yml");
const ALERTS: &str = "rule_files: [\"@folder@/rules.yml\"]
alerting:
  alertmanagers:
    - static_configs:
        - targets: [\"@mon@:9093\"]
";
const LIVE: &str = include_str!("../../staging/live.toml");

/// Keys of a policy whose values are shares.
const SHARES: [&str; 3] = ["above", "below", "projection_margin"];

/// When a scenario is played, and how fast its clock goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tempo {
    /// When it begins by the clock of this machine.
    pub start: Timestamp,
    /// How many seconds of the scenario pass in one.
    pub speed: u32,
}

impl Tempo {
    /// When a moment of the scenario comes.
    pub fn moment(self, model: &Model, at: Timestamp) -> Timestamp {
        self.start + self.length(at.since(model.start))
    }

    /// How long a stretch of the scenario lasts.
    pub fn length(self, span: Span) -> Span {
        Span::from_nanos(span.as_nanos() / i64::from(self.speed))
    }
}

/// A scenario and what is changed in it.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub path: PathBuf,
    /// `key=value` pairs, as `tidegate run --set` takes them.
    pub set: Vec<String>,
}

impl Scenario {
    /// The one that a person names, or that of the stack's own of this name.
    pub fn new(named: Option<&Path>, own: &str) -> Self {
        let own = || root().join("scenarios/staging").join(own).with_extension("toml");
        let path = named.map_or_else(own, Path::to_owned);
        Self { path, set: Vec::new() }
    }

    pub fn read(&self) -> Result<Model, Failure> {
        let overrides = Overrides { set: self.set.clone(), ..Overrides::default() };
        Ok(scenario::read(&self.path, &overrides)?)
    }
}

/// Writes the proxy's file.
pub(super) fn haproxy(broken: Option<Break>) -> Result<PathBuf, Failure> {
    filled("haproxy.cfg", HAPROXY, &[("retries", breaks::retries(broken).to_owned())])
}

/// Who keeps the windows of the policy's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alerting {
    /// Prometheus, whose alerts are notified.
    On,
    /// The controller.
    Off,
}

impl Alerting {
    pub fn of(model: &Model) -> Self {
        match model.group.policy.evidence.from {
            EvidenceFrom::Alerts => Self::On,
            EvidenceFrom::Metrics => Self::Off,
        }
    }
}

/// Writes the file of Prometheus.
pub(super) fn prometheus(alerting: Alerting) -> Result<PathBuf, Failure> {
    let alerts = if alerting == Alerting::On { ALERTS } else { "" };
    filled("prometheus.yml", &format!("{PROMETHEUS}{alerts}"), &[])
}

/// Writes the controller's file, with the scenario's policy at its tempo.
pub(super) fn live(
    model: &Model,
    tempo: Tempo,
    broken: Option<Break>,
    tier: Tier,
) -> Result<(), Failure> {
    let xtask = spawn::xtask()?;
    let order = |order: Order| {
        let (order, tier) = (order.word(), tier.word());
        let own = ["staging", "services", Host::App2.name(), &order, "--tier", &tier];
        list(&[&*xtask].iter().chain(&own).map(|word| (*word).to_owned()).collect::<Vec<_>>())
    };
    let storage = folder().join("storage").display().to_string();
    // Each look at a machine is a session of SSH, which costs it half a second of its core.
    let (every, moving) = if tier == Tier::Vm { ("3s", "1s") } else { ("1s", "500ms") };
    let (machine, storage, console) = match tier {
        Tier::Plain => {
            let words = [&*xtask, "staging", "machine", Host::App2.name()];
            (spawn::words(Host::App2, &words), format!("\"{storage}\""), String::new())
        }
        Tier::Vm => {
            let through = list(&vm::through());
            let storage = format!("{{ folder = \"{storage}\", through = {through} }}");
            (vm::machine(), storage, format!(", console = \"{}\"", vm::console().display()))
        }
    };
    let values = [
        ("start", order(Order::Start)),
        ("stop", order(Order::Stop)),
        ("start-workers", order(Order::StartWorkers)),
        ("stop-workers", order(breaks::stop_workers(broken))),
        ("workers", JOB_WORKERS.to_string()),
        ("machine", list(&machine)),
        ("storage", storage),
        ("every", every.to_owned()),
        ("moving", moving.to_owned()),
        ("console", console),
        ("cgroup", cgroup::unified(Host::App2).display().to_string()),
        ("haproxy", proxy_socket(model, broken)?.display().to_string()),
    ];
    for name in ["token", "alerts-token", "metrics-token"] {
        write(&folder().join(name), secret()?)?;
    }
    let alerts = match Alerting::of(model) {
        Alerting::On => "[group.ports.alertmanager]\n",
        Alerting::Off => "",
    };
    let text = format!("{LIVE}\n{alerts}\n{}", policy(model, tempo)?);
    filled("live.toml", &text, &values).map(drop)
}

/// The socket at which the controller finds the proxy.
fn proxy_socket(model: &Model, broken: Option<Break>) -> Result<PathBuf, Failure> {
    let socket = breaks::proxy_socket(broken)?;
    if faults::wait_for_commands(model) { relay::tell_points(socket) } else { Ok(socket) }
}

/// A word that nobody guesses.
fn secret() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    let filled = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    filled.map_err(|why| Failure::io("draw a token", why))?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

/// A list of texts, which JSON and TOML write alike.
fn list(words: &[String]) -> String {
    serde_json::Value::from(words).to_string()
}

/// The policy's table, whose windows with a date are moved to when the scenario is played.
fn policy(model: &Model, tempo: Tempo) -> Result<String, Failure> {
    #[derive(Serialize)]
    struct Table<'a> {
        policy: &'a Policy,
    }
    let mut policy = model.group.policy.clone();
    for schedule in &mut policy.schedule {
        for end in [&mut schedule.from, &mut schedule.until].into_iter().flatten() {
            *end = moved(end, model, tempo)?;
        }
        schedule.lead = tempo.length(schedule.lead);
    }
    let failed = |why: toml::ser::Error| Failure::said("write the policy", why.to_string());
    let mut table = toml::Value::try_from(Table { policy: &policy }).map_err(failed)?;
    write_percentages(&mut table);
    toml::to_string(&table).map_err(failed)
}

/// A share is told as parts of a million, and read with its sign alone.
fn write_percentages(value: &mut toml::Value) {
    if let toml::Value::Array(values) = value {
        values.iter_mut().for_each(write_percentages);
    }
    let Some(table) = value.as_table_mut() else { return };
    for (key, value) in table.iter_mut() {
        match value.as_integer().filter(|_| SHARES.contains(&&**key)) {
            Some(ppm) => *value = toml::Value::String(format!("{}%", ppm as f64 / 1e4)),
            None => write_percentages(value),
        }
    }
}

fn moved(end: &WallTime, model: &Model, tempo: Tempo) -> Result<WallTime, Failure> {
    let at = end.time_zone().to_timestamp(end.civil).ok();
    let at = at.and_then(Timestamp::from_jiff);
    let at = at.ok_or_else(|| Failure::said("move a schedule", format!("{end} does not exist")))?;
    let at = tempo.moment(model, at).to_jiff();
    let civil = tidegate_core::TimeZone::UTC.to_datetime(at);
    Ok(WallTime { civil, zone: "UTC".to_owned() })
}

/// Writes a file of the stack from a template in which `@name@` stands for a value.
pub(super) fn filled(
    name: &str,
    template: &str,
    values: &[(&str, String)],
) -> Result<PathBuf, Failure> {
    let mut text = template.replace("@folder@", &folder().display().to_string());
    for host in Host::ALL {
        text = text.replace(&format!("@{}@", host.name()), host.address());
    }
    for (name, value) in values {
        text = text.replace(&format!("@{name}@"), value);
    }
    let path = folder().join(name);
    write(&path, text)?;
    Ok(path)
}
