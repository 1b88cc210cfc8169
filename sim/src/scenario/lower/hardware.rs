//! Plans, servers, prices and worker counts.

use std::collections::BTreeSet;

use tidegate_core::billing::Pricing;

use super::MIB;
use crate::chance::{exp, ln};
use crate::model::{Bench, Hardware};
use crate::scenario::file::{BenchFile, PlanFile, ScenarioFile};
use crate::scenario::{Fault, did_you_mean};

pub(super) fn plan<'a>(
    file: &'a ScenarioFile,
    name: &str,
    path: &str,
) -> Result<&'a PlanFile, Fault> {
    file.plans.get(name).ok_or_else(|| {
        let fault = Fault::at(path, format!("there is no plan `{name}`"));
        match did_you_mean(name, file.plans.keys().map(String::as_str)) {
            Some(hint) => fault.hint(hint),
            None => fault.hint("plans are the tables `[plans.NAME]`"),
        }
    })
}

pub(super) fn servers(file: &ScenarioFile, standbys: u16) -> Result<Vec<Hardware>, Fault> {
    let primary_plan = plan(file, &file.group.primary, "group.primary")?;
    let primary = hardware(file, &file.group.primary, Pricing::always_on(primary_plan.price))?;
    let name = file.group.standby.as_ref().unwrap_or(&file.group.primary);
    let standby_plan = plan(file, name, "group.standby")?;
    let price = file.group.standby_price.unwrap_or(standby_plan.price);
    if price.currency != primary_plan.price.currency {
        return Err(Fault::at("group", "all prices need one currency"));
    }
    let standby =
        hardware(file, name, file.group.standby_billing.pricing(price, file.group.minimum))?;
    let mut servers = vec![primary];
    servers.extend(std::iter::repeat_n(standby, usize::from(standbys)));
    Ok(servers)
}

/// Workers follow from the memory as on Frappe Cloud: usable = max(RAM − 3000 MB, 0.75 RAM); web
/// workers 0.6 × usable ÷ 150 MB, 2 to 36 a bench; job units of three 0.4 × usable ÷ 240 MB;
/// both rounded to the nearest.
pub(super) fn hardware(
    file: &ScenarioFile,
    name: &str,
    pricing: Pricing,
) -> Result<Hardware, Fault> {
    let plan = plan(file, name, "group.primary")?;
    let path = format!("plans.{name}");
    if plan.vcpu == 0 || plan.vcpu > 512 {
        return Err(Fault::at(&format!("{path}.vcpu"), "a plan has 1 to 512 cores"));
    }
    let megabytes = plan.memory.0 / MIB;
    if megabytes < 256 {
        return Err(Fault::at(&format!("{path}.memory"), "a server needs at least 256MiB"));
    }
    let usable = megabytes.saturating_sub(3_000).max(megabytes * 3 / 4);
    let web = u32::try_from((usable * 6 + 750) / 1_500).unwrap_or(u32::MAX);
    let units = u32::try_from((usable * 4 + 1_200) / 2_400).unwrap_or(u32::MAX).min(1_000);
    let sites = file.bench.iter().map(|bench| u64::from(bench.sites.unwrap_or(1))).sum::<u64>();
    let derived = |sites_here: u32| {
        (u64::from(web) * u64::from(sites_here) / sites.max(1)).clamp(2, 36) as u32
    };
    let of_bench =
        |bench: &BenchFile| bench.workers.unwrap_or_else(|| derived(bench.sites.unwrap_or(1)));
    let mut web_workers: Vec<u32> = file.bench.iter().map(of_bench).collect();
    if web_workers.is_empty() {
        web_workers.push(derived(1));
    }
    let job_workers = job_workers(file)?.unwrap_or([units; 3]);
    check_memory(file, &path, plan, &web_workers, job_workers)?;
    Ok(Hardware {
        plan: name.to_owned(),
        vcpu: plan.vcpu,
        memory_bytes: plan.memory.0,
        pricing,
        web_workers,
        job_workers,
    })
}

fn job_workers(file: &ScenarioFile) -> Result<Option<[u32; 3]>, Fault> {
    let Some(given) = file.server.job_workers else { return Ok(None) };
    let counts = [given.short, given.default, given.long];
    if counts.iter().any(|&count| count > 10_000) {
        return Err(Fault::at("server.job_workers", "at most 10000 workers of a kind"));
    }
    Ok(Some(counts))
}

/// What a server's processes hold from the start must fit into its memory.
fn check_memory(
    file: &ScenarioFile,
    path: &str,
    plan: &PlanFile,
    web: &[u32],
    jobs: [u32; 3],
) -> Result<(), Fault> {
    let memory = super::parts::memory(file)?;
    let workers = web.iter().chain(&jobs).map(|&count| u64::from(count)).sum::<u64>();
    let needed = memory.base.saturating_add(memory.worker.saturating_mul(workers));
    if needed <= plan.memory.0 {
        return Ok(());
    }
    let message = format!(
        "{workers} workers and the system need {} MiB, the plan has {}",
        needed / MIB,
        plan.memory.0 / MIB
    );
    let hint = "set fewer `workers` or `job_workers`, or a smaller `memory.worker`";
    Err(Fault::at(&format!("{path}.memory"), message).hint(hint))
}

pub(super) fn upgrade(
    file: &ScenarioFile,
    servers: &[Hardware],
) -> Result<Option<Hardware>, Fault> {
    if let Some(name) = &file.group.upgrade {
        let price = plan(file, name, "group.upgrade")?.price;
        return hardware(file, name, Pricing::always_on(price)).map(Some);
    }
    let cores: u32 = servers.iter().map(|server| server.vcpu).sum();
    let enough = file.plans.iter().filter(|(_, plan)| plan.vcpu >= cores);
    let cheapest = enough.min_by_key(|(name, plan)| (plan.price.hourly(), (*name).clone()));
    cheapest.map(|(name, plan)| hardware(file, name, Pricing::always_on(plan.price))).transpose()
}

pub(super) fn benches(file: &ScenarioFile) -> Result<Vec<Bench>, Fault> {
    let skew = file.group.site_skew.unwrap_or(0.0);
    if !(0.0..=10.0).contains(&skew) {
        return Err(Fault::at("group.site_skew", "must be 0 to 10"));
    }
    let default = Bench { name: "bench".to_owned(), sites: 1, share: 1.0, accept_queue: 2_048 };
    if file.bench.is_empty() {
        return Ok(vec![default]);
    }
    unique(file.bench.iter().map(|bench| bench.name.as_str()), "bench")?;
    let bench = |(index, bench): (usize, &BenchFile)| {
        let between = |field: &str, value: Option<u32>, most: u32| {
            let path = format!("bench.{index}.{field}");
            let wrong = value.is_some_and(|value| value == 0 || value > most);
            if wrong { Err(Fault::at(&path, format!("must be 1 to {most}"))) } else { Ok(()) }
        };
        between("workers", bench.workers, 10_000)?;
        between("sites", bench.sites, 1_000_000)?;
        Ok(Bench {
            name: bench.name.clone(),
            sites: bench.sites.unwrap_or(1),
            share: 0.0,
            accept_queue: bench.accept_queue.unwrap_or(default.accept_queue),
        })
    };
    let mut benches: Vec<Bench> =
        file.bench.iter().enumerate().map(bench).collect::<Result<_, _>>()?;
    deal_sites(&mut benches, skew);
    Ok(benches)
}

/// The site of rank n has the share n^−skew (Zipf). Ranks are dealt to the benches in turn, in the
/// order of the file, as long as a bench has sites left.
fn deal_sites(benches: &mut [Bench], skew: f64) {
    if skew == 0.0 {
        for bench in benches {
            bench.share = f64::from(bench.sites);
        }
        return;
    }
    let mut rank = 0.0;
    let rounds = benches.iter().map(|bench| bench.sites).max().unwrap_or(0);
    for round in 0..rounds {
        for bench in benches.iter_mut().filter(|bench| bench.sites > round) {
            rank += 1.0;
            bench.share += exp(-skew * ln(rank));
        }
    }
}

/// Names tell streams of chance apart, so no two of a kind may be the same.
pub(super) fn unique<'a>(names: impl Iterator<Item = &'a str>, table: &str) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (index, name) in names.enumerate() {
        if !seen.insert(name) {
            let path = format!("{table}.{index}.name");
            return Err(Fault::at(&path, format!("there is another `[[{table}]]` named `{name}`")));
        }
    }
    Ok(())
}
