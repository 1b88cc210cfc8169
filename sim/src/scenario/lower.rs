//! From the file to the model: defaults filled in, names looked up, the impossible refused.

mod acts;
mod alerts;
mod faults;
mod fidelity;
mod files;
mod fleet;
mod grain;
mod hardware;
mod hazard;
mod loads;
mod monitoring;
mod parts;
mod shared;
mod work;

use std::path::Path;
use std::sync::Arc;

use tidegate_core::policy::{Place as PolicyPlace, WallTime};
use tidegate_core::{GroupConfig, Span, Timestamp};

pub(crate) use fidelity::{expected, expected_requests};

use super::file::ScenarioFile;
use super::{Fault, Key, Overrides};
use crate::model::{Fidelity, Hardware, Model};

const MIB: u64 = 1 << 20;
const LONGEST: Span = Span::from_hours(24 * 366);

pub(super) fn lower(
    name: &str,
    file: &ScenarioFile,
    directory: &Path,
    overrides: &Overrides,
) -> Result<Model, Fault> {
    let with_policy = hazard::with_policy(file, directory)?;
    model(name, with_policy.as_ref().unwrap_or(file), directory, overrides)
}

fn model(
    name: &str,
    file: &ScenarioFile,
    directory: &Path,
    overrides: &Overrides,
) -> Result<Model, Fault> {
    let start = moment(&file.start)
        .ok_or_else(|| Fault::at("start", "lies outside the years 1677 to 2262"))?;
    let (loads, trace_length) = loads::loads(file, directory, overrides, start)?;
    let given = file.duration.filter(|_| overrides.load.is_none());
    let duration = duration(given, trace_length)?;
    let mut run = start..start + duration;
    if run.end == Timestamp::MAX {
        return Err(Fault::at("start", "the run would end after the year 2262"));
    }
    if overrides.load.is_some() || !overrides.set.is_empty() {
        // The command line may shorten a run; what comes after its end does not happen.
        run.end = Timestamp::MAX;
    }
    let group = group(file)?;
    let benches = hardware::benches(file)?;
    let servers = hardware::servers(file, group.standbys)?;
    let monitoring = monitoring::monitoring(file)?;
    let mut model = Model {
        name: name.to_owned(),
        title: file.title.clone(),
        zone: file.start.zone.clone(),
        start,
        duration,
        seed: overrides.seed.unwrap_or(file.seed),
        fidelity: Fidelity::Request,
        fidelity_because: None,
        group: weighted(group, &servers),
        currency: hardware::plan(file, &file.group.primary, "group.primary")?.price.currency,
        upgrade: hardware::upgrade(file, &servers)?,
        servers,
        files: files::files(file, &benches)?,
        benches,
        machine: parts::machine(file, directory)?,
        provider: parts::provider(file)?,
        proxy: parts::proxy(file)?,
        redis: shared::redis(file)?,
        store: shared::store(file)?,
        snapshot: shared::snapshot(file)?,
        append: shared::append(file, directory)?,
        database: shared::database(file)?,
        nfs: shared::nfs(file)?,
        memory: parts::memory(file)?,
        cache: parts::cache(file)?,
        monitoring,
        alerts: alerts::alerts(file)?,
        grain: file.grain,
        scales: loads::scales(file),
        requests: work::requests(file, directory)?,
        jobs: work::jobs(file, directory)?,
        cron_jobs: work::cron_jobs(file)?,
        loads,
        faults: Vec::new(),
        hazard: hazard::hazard(file)?,
        resizes: acts::resizes(file, &run)?,
        operator: acts::operator(file, &run)?,
        expectations: acts::expectations(file)?,
        fleet: None,
        notes: acts::unseen(file, &(start..start + duration)),
    };
    grain::coarsen(&mut model)?;
    model.faults = faults::faults(file, model.group.standbys, run.end.since(start))?;
    model.fleet = fleet::fleet(file, &model, directory)?.map(Arc::new);
    fidelity::choose(model, file.fidelity)
}

fn group(file: &ScenarioFile) -> Result<GroupConfig, Fault> {
    let standbys = file.group.standbys.unwrap_or(1);
    if standbys > 64 {
        return Err(Fault::at("group.standbys", "at most 64 standbys are supported"));
    }
    let policy = file.policy.clone();
    policy.check(standbys).map_err(|error| Fault {
        path: policy_path(error.place),
        message: error.problem.to_string(),
        hint: None,
        elsewhere: None,
    })?;
    Ok(GroupConfig {
        standbys,
        primary_weight: 1,
        standby_weight: 1,
        policy,
        defects: file.defects,
    })
}

/// A server's share of the traffic follows its cores.
fn weighted(group: GroupConfig, servers: &[Hardware]) -> GroupConfig {
    let weight = |server: Option<&Hardware>| server.map_or(1, |server| server.vcpu.max(1) as u16);
    let (primary_weight, standby_weight) = (weight(servers.first()), weight(servers.last()));
    GroupConfig { primary_weight, standby_weight, ..group }
}

/// The moment of a wall time; of one that the clock shows twice, the first.
pub(crate) fn moment(wall: &WallTime) -> Option<Timestamp> {
    let instant = wall.time_zone().to_ambiguous_timestamp(wall.civil).compatible().ok()?;
    Timestamp::from_jiff(instant)
}

fn policy_path(place: PolicyPlace) -> Vec<Key> {
    let mut path = vec![Key::Name("policy".to_owned()), Key::Name(place.key.to_owned())];
    path.extend(place.index.map(Key::Index));
    if !place.field.is_empty() {
        path.push(Key::Name(place.field.to_owned()));
    }
    path
}

fn duration(given: Option<Span>, trace_length: Span) -> Result<Span, Fault> {
    let duration = given.unwrap_or(trace_length);
    if duration.is_zero() {
        return Err(Fault::at("duration", "the run has no length")
            .hint("set `duration`, or give a trace, whose length it takes"));
    }
    if duration > LONGEST {
        return Err(Fault::at("duration", "a run lasts at most 366 days"));
    }
    Ok(duration)
}
