//! From the file to the model: defaults filled in, names looked up, the impossible refused.

use std::path::Path;

use jiff::tz::TimeZone;
use tidegate_core::billing::Pricing;
use tidegate_core::money::{Per, Price};
use tidegate_core::policy::{Place as PolicyPlace, WallTime};
use tidegate_core::{GroupConfig, OperatorRequest, Span, Timestamp};

use super::file::{
    ActionFile, BalanceFile, BillingFile, PhaseFile, PlanFile, QueueFile, ScenarioFile, StationFile,
};
use super::load::{LoadFile, curve, trace};
use super::units::Length;
use super::{Fault, Key, Overrides, did_you_mean};
use crate::model::{
    Balance, Bench, Comparison, CronJob, Dist, Exam, Expectation, Hardware, JobClass, Load,
    Machine, Memory, Model, Monitoring, Open, Phase, Piece, Place, Proxy, Queue, RequestClass,
    Resize, Station,
};

const MIB: u64 = 1 << 20;
const LONGEST: Span = Span::from_hours(24 * 366);
const RATE_MAX: f64 = 1e7;

pub(super) fn lower(
    name: &str,
    file: &ScenarioFile,
    directory: &Path,
    overrides: &Overrides,
) -> Result<Model, Fault> {
    let zone = file.start.time_zone();
    let start = moment(&file.start)
        .ok_or_else(|| Fault::at("start", "lies outside the years 1677 to 2262"))?;
    let (loads, trace_length) = loads(file, directory, overrides, start, &zone)?;
    let given = file.duration.filter(|_| overrides.load.is_none());
    let duration = duration(given, trace_length)?;
    let standbys = file.group.standbys.unwrap_or(1);
    if standbys > 64 {
        return Err(Fault::at("group.standbys", "at most 64 standbys are supported"));
    }
    file.policy.check(standbys).map_err(|error| Fault {
        path: policy_path(error.place),
        message: error.problem.to_string(),
        hint: None,
    })?;
    let servers = servers(file, standbys)?;
    let weight = |hardware: &Hardware| (hardware.vcpu.min(1_000) as u16).max(1);
    let group = GroupConfig {
        standbys,
        primary_weight: weight(&servers[0]),
        standby_weight: servers.last().map_or(1, weight),
        policy: file.policy.clone(),
    };
    Ok(Model {
        name: name.to_owned(),
        title: file.title.clone(),
        zone: file.start.zone.clone(),
        start,
        duration,
        seed: overrides.seed.unwrap_or(file.seed),
        group,
        currency: plan(file, &file.group.primary, "group.primary")?.price.currency,
        upgrade: upgrade(file, &servers)?,
        servers,
        benches: benches(file),
        machine: machine(file),
        proxy: proxy(file)?,
        redis: station(file.redis, "redis", 1, Span::from_nanos(200_000))?,
        database: station(file.database, "database", 8, Span::from_nanos(500_000))?,
        nfs: station(file.nfs, "nfs", 8, Span::from_nanos(500_000))?,
        memory: memory(file),
        monitoring: monitoring(file)?,
        requests: requests(file)?,
        jobs: jobs(file)?,
        cron_jobs: cron_jobs(file)?,
        loads,
        resizes: resizes(file)?,
        operator: operator(file)?,
        expectations: expectations(file)?,
    })
}

fn moment(wall: &WallTime) -> Option<Timestamp> {
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

fn plan<'a>(file: &'a ScenarioFile, name: &str, path: &str) -> Result<&'a PlanFile, Fault> {
    file.plans.get(name).ok_or_else(|| {
        let fault = Fault::at(path, format!("there is no plan `{name}`"));
        match did_you_mean(name, file.plans.keys().map(String::as_str)) {
            Some(hint) => fault.hint(hint),
            None => fault.hint("plans are the tables `[plans.NAME]`"),
        }
    })
}

fn servers(file: &ScenarioFile, standbys: u16) -> Result<Vec<Hardware>, Fault> {
    let primary_plan = plan(file, &file.group.primary, "group.primary")?;
    let primary = hardware(file, &file.group.primary, monthly(primary_plan.price))?;
    let name = file.group.standby.as_ref().unwrap_or(&file.group.primary);
    let standby_plan = plan(file, name, "group.standby")?;
    let price = file.group.standby_price.unwrap_or(standby_plan.price);
    if price.currency != primary_plan.price.currency {
        return Err(Fault::at("group", "all prices need one currency"));
    }
    let standby = hardware(file, name, standby_pricing(file, price))?;
    let mut servers = vec![primary];
    servers.extend(std::iter::repeat_n(standby, usize::from(standbys)));
    Ok(servers)
}

/// 730 hours are the twelfth of a year by which clouds turn one price into the other.
fn hourly(price: Price) -> tidegate_core::Money {
    match price.per {
        Per::Hour => price.amount,
        Per::Month => price.amount.scaled(1, 730),
    }
}

fn monthly(price: Price) -> Pricing {
    match price.per {
        Per::Hour => Pricing::PerSecond { hourly: price.amount, minimum: Span::ZERO },
        Per::Month => Pricing::Monthly { monthly: price.amount },
    }
}

fn standby_pricing(file: &ScenarioFile, price: Price) -> Pricing {
    let hourly = hourly(price);
    match file.group.standby_billing {
        BillingFile::PerSecond => {
            let minimum = file.group.minimum.unwrap_or(Span::from_secs(60));
            Pricing::PerSecond { hourly, minimum }
        }
        BillingFile::PerStartedHour => Pricing::PerStartedHour { hourly },
        BillingFile::Monthly => monthly(price),
    }
}

/// Workers follow from the memory as on Frappe Cloud: usable = max(RAM − 3000 MB, 0.75 RAM); web
/// workers 0.6 × usable ÷ 150 MB, 2 to 36 a bench; job units of three 0.4 × usable ÷ 240 MB;
/// both rounded to the nearest.
fn hardware(file: &ScenarioFile, name: &str, pricing: Pricing) -> Result<Hardware, Fault> {
    let plan = plan(file, name, "group.primary")?;
    let path = format!("plans.{name}");
    if plan.vcpu == 0 || plan.vcpu > 1_024 {
        return Err(Fault::at(&format!("{path}.vcpu"), "a plan has 1 to 1024 cores"));
    }
    let megabytes = plan.memory.0 / MIB;
    if megabytes < 256 {
        return Err(Fault::at(&format!("{path}.memory"), "a server needs at least 256MiB"));
    }
    let usable = megabytes.saturating_sub(3_000).max(megabytes * 3 / 4);
    let web = u32::try_from((usable * 6 + 750) / 1_500).unwrap_or(u32::MAX);
    let units = u32::try_from((usable * 4 + 1_200) / 2_400).unwrap_or(u32::MAX).min(1_000);
    let sites: u32 = file.bench.iter().map(|bench| bench.sites.unwrap_or(1)).sum::<u32>().max(1);
    let derived = |sites_here: u32| {
        (u64::from(web) * u64::from(sites_here) / u64::from(sites)).clamp(2, 36) as u32
    };
    let mut web_workers: Vec<u32> = file
        .bench
        .iter()
        .map(|bench| bench.workers.unwrap_or_else(|| derived(bench.sites.unwrap_or(1))))
        .collect();
    if web_workers.is_empty() {
        web_workers.push(derived(1));
    }
    if let Some(index) = web_workers.iter().position(|&workers| workers == 0 || workers > 10_000) {
        return Err(Fault::at(&format!("bench.{index}.workers"), "a bench has 1 to 10000 workers"));
    }
    let job_workers = file.server.job_workers.map_or([units; 3], |workers| {
        [workers.short, workers.default, workers.long].map(|count| count.min(10_000))
    });
    Ok(Hardware {
        plan: name.to_owned(),
        vcpu: plan.vcpu,
        memory_bytes: plan.memory.0,
        pricing,
        web_workers,
        job_workers,
    })
}

fn upgrade(file: &ScenarioFile, servers: &[Hardware]) -> Result<Option<Hardware>, Fault> {
    if let Some(name) = &file.group.upgrade {
        let price = plan(file, name, "group.upgrade")?.price;
        return hardware(file, name, monthly(price)).map(Some);
    }
    let cores: u32 = servers.iter().map(|server| server.vcpu).sum();
    let enough = file.plans.iter().filter(|(_, plan)| plan.vcpu >= cores);
    let cheapest = enough.min_by_key(|(name, plan)| (hourly(plan.price), (*name).clone()));
    cheapest.map(|(name, plan)| hardware(file, name, monthly(plan.price))).transpose()
}

fn benches(file: &ScenarioFile) -> Vec<Bench> {
    let default = Bench { name: "bench".to_owned(), sites: 1, accept_queue: 2_048 };
    if file.bench.is_empty() {
        return vec![default];
    }
    let bench = |bench: &super::file::BenchFile| Bench {
        name: bench.name.clone(),
        sites: bench.sites.unwrap_or(1).clamp(1, 1_000_000),
        accept_queue: bench.accept_queue.unwrap_or(default.accept_queue),
    };
    file.bench.iter().map(bench).collect()
}

fn machine(file: &ScenarioFile) -> Machine {
    let or = |length: Option<Length>, default: Dist| length.map_or(default, Length::dist);
    let server = &file.server;
    Machine {
        boot: or(server.boot, Dist::Lognormal(Span::from_secs(45), 0.2)),
        services: or(server.services, Dist::Lognormal(Span::from_secs(60), 0.2)),
        services_stop: or(server.services_stop, Dist::Constant(Span::from_secs(5))),
        stop: or(server.stop, Dist::Constant(Span::from_secs(20))),
    }
}

fn proxy(file: &ScenarioFile) -> Result<Proxy, Fault> {
    let proxy = &file.proxy;
    if proxy.timeout.is_some_and(Span::is_zero) {
        return Err(Fault::at("proxy.timeout", "must be more than zero"));
    }
    if proxy.max_connections == Some(0) {
        return Err(Fault::at("proxy.max_connections", "must be more than zero"));
    }
    Ok(Proxy {
        balance: match proxy.balance {
            BalanceFile::RoundRobin => Balance::RoundRobin,
            BalanceFile::LeastConnections => Balance::LeastConnections,
        },
        latency: proxy.latency.unwrap_or(Span::from_nanos(300_000)),
        max_connections: proxy.max_connections,
        backlog: proxy.backlog.unwrap_or(1_000),
        timeout: proxy.timeout.unwrap_or(Span::from_secs(60)),
        change: proxy.change.unwrap_or(Span::from_secs(1)),
    })
}

fn station(file: StationFile, name: &str, servers: u32, latency: Span) -> Result<Station, Fault> {
    let servers = file.servers.unwrap_or(servers);
    if servers == 0 || servers > 4_096 {
        return Err(Fault::at(&format!("{name}.servers"), "a station has 1 to 4096 servers"));
    }
    Ok(Station { servers, latency: file.latency.unwrap_or(latency) })
}

fn memory(file: &ScenarioFile) -> Memory {
    let memory = file.memory;
    Memory {
        base: memory.base.map_or(1 << 30, |size| size.0),
        worker: memory.worker.map_or(60 * MIB, |size| size.0),
        growth: memory.growth.map_or(4 << 10, |size| size.0),
        max_requests: memory.max_requests.unwrap_or(5_000),
    }
}

fn monitoring(file: &ScenarioFile) -> Result<Monitoring, Fault> {
    let given = file.monitoring;
    for (name, span) in [
        ("scrape", given.scrape),
        ("evaluate", given.evaluate),
        ("range", given.range),
        ("health", given.health),
    ] {
        if span.is_some_and(|span| span < Span::from_millis(10)) {
            let path = format!("monitoring.{name}");
            return Err(Fault::at(&path, "must be at least 10ms"));
        }
    }
    Ok(Monitoring {
        scrape: given.scrape.unwrap_or(Span::from_secs(15)),
        evaluate: given.evaluate.unwrap_or(Span::from_secs(15)),
        range: given.range.unwrap_or(Span::from_mins(1)),
        delay: given.delay.unwrap_or(Span::from_secs(2)),
        health: given.health.unwrap_or(Span::from_secs(5)),
    })
}

fn phases(given: &[PhaseFile], path: &str) -> Result<Vec<Phase>, Fault> {
    if given.is_empty() || given.len() > 32 {
        return Err(Fault::at(path, "1 to 32 phases are supported"));
    }
    let phase = |phase: &PhaseFile| {
        let (place, length) = match phase {
            PhaseFile::Cpu(length) => (Place::Cpu, length),
            PhaseFile::Redis(length) => (Place::Redis, length),
            PhaseFile::Database(length) => (Place::Database, length),
            PhaseFile::Nfs(length) => (Place::Nfs, length),
            PhaseFile::Wait(length) => (Place::Wait, length),
        };
        Phase { place, demand: length.dist() }
    };
    Ok(given.iter().map(phase).collect())
}

fn requests(file: &ScenarioFile) -> Result<Vec<RequestClass>, Fault> {
    let weight = |request: &super::file::RequestFile| request.weight.unwrap_or(1).min(1_000_000);
    if file.request.iter().map(weight).sum::<u32>() == 0 {
        return Err(Fault::at("request", "at least one kind of request needs a weight above zero"));
    }
    let class = |(index, request): (usize, &super::file::RequestFile)| {
        let job = request.enqueues.as_ref().map(|enqueues| {
            let path = format!("request.{index}.enqueues.job");
            Ok((job_named(file, &enqueues.job, &path)?, enqueues.share))
        });
        Ok(RequestClass {
            name: request.name.clone(),
            weight: weight(request),
            phases: phases(&request.phases, &format!("request.{index}.phases"))?,
            enqueues: job.transpose()?,
        })
    };
    file.request.iter().enumerate().map(class).collect()
}

fn jobs(file: &ScenarioFile) -> Result<Vec<JobClass>, Fault> {
    let class = |(index, job): (usize, &super::file::JobFile)| {
        Ok(JobClass {
            name: job.name.clone(),
            queue: match job.queue {
                QueueFile::Short => Queue::Short,
                QueueFile::Default => Queue::Default,
                QueueFile::Long => Queue::Long,
            },
            phases: phases(&job.phases, &format!("job.{index}.phases"))?,
        })
    };
    file.job.iter().enumerate().map(class).collect()
}

fn job_named(file: &ScenarioFile, name: &str, path: &str) -> Result<usize, Fault> {
    named(file.job.iter().map(|job| job.name.as_str()), name, path, "job")
}

fn class_named(file: &ScenarioFile, name: &str, path: &str) -> Result<usize, Fault> {
    named(file.request.iter().map(|request| request.name.as_str()), name, path, "request")
}

fn named<'a>(
    names: impl Iterator<Item = &'a str> + Clone,
    name: &str,
    path: &str,
    what: &str,
) -> Result<usize, Fault> {
    names.clone().position(|other| other == name).ok_or_else(|| {
        let hint = did_you_mean(name, names);
        Fault {
            hint,
            ..Fault::at(path, format!("there is no `[[{what}]]` with the name `{name}`"))
        }
    })
}

fn cron_jobs(file: &ScenarioFile) -> Result<Vec<CronJob>, Fault> {
    let cron = |(index, job): (usize, &super::file::CronJobFile)| {
        if job.every < Span::from_millis(10) {
            return Err(Fault::at(&format!("cron_job.{index}.every"), "must be at least 10ms"));
        }
        Ok(CronJob {
            class: job_named(file, &job.job, &format!("cron_job.{index}.job"))?,
            first: job.first,
            every: job.every,
            count: job.count.unwrap_or(1).min(100_000),
        })
    };
    file.cron_job.iter().enumerate().map(cron).collect()
}

fn resizes(file: &ScenarioFile) -> Result<Vec<Resize>, Fault> {
    let resize = |(index, resize): (usize, &super::file::ResizeFile)| {
        let path = format!("resize.{index}.plan");
        let price = plan(file, &resize.plan, &path)?.price;
        let at = moment(&resize.at).ok_or_else(|| Fault::at(&path, "lies too far away"))?;
        Ok(Resize {
            at,
            to: hardware(file, &resize.plan, monthly(price))?,
            downtime: resize.downtime,
        })
    };
    file.resize.iter().enumerate().map(resize).collect()
}

fn operator(file: &ScenarioFile) -> Result<Vec<(Timestamp, OperatorRequest)>, Fault> {
    let request = |(index, given): (usize, &super::file::OperatorFile)| {
        let missing =
            |field: &str| Fault::at(&format!("operator.{index}"), format!("needs `{field}`"));
        let at = moment(&given.at).ok_or_else(|| missing("at"))?;
        let (by, hold) = (given.by.unwrap_or(1), given.hold);
        let request = match given.action {
            ActionFile::ScaleUp => OperatorRequest::ScaleUp { by, hold },
            ActionFile::ScaleDown => OperatorRequest::ScaleDown { by, hold },
            ActionFile::Resume => OperatorRequest::Resume,
            ActionFile::Pause => {
                let until = given.until.as_ref().and_then(moment);
                OperatorRequest::PauseUntil(until.ok_or_else(|| missing("until"))?)
            }
        };
        Ok((at, request))
    };
    file.operator.iter().enumerate().map(request).collect()
}

fn expectations(file: &ScenarioFile) -> Result<Vec<Expectation>, Fault> {
    let expectation = |(path, text): (&String, &String)| {
        let refused = || Fault {
            path: vec![Key::Name("expect".to_owned()), Key::Name(path.clone())],
            message: format!("`{text}` is not a comparison"),
            hint: Some("write an operator and a value, such as \"== 0\" or \"<= 800\"".to_owned()),
        };
        let (symbol, value) = text.trim().split_once(' ').ok_or_else(refused)?;
        let comparison = match symbol {
            "==" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::AtMost,
            ">" => Comparison::Greater,
            ">=" => Comparison::AtLeast,
            _ => return Err(refused()),
        };
        let value = value.trim().to_owned();
        Ok(Expectation { path: path.clone(), comparison, value })
    };
    file.expect.iter().map(expectation).collect()
}

fn loads(
    file: &ScenarioFile,
    directory: &Path,
    overrides: &Overrides,
    start: Timestamp,
    zone: &TimeZone,
) -> Result<(Vec<Load>, Span), Fault> {
    let end = file.duration.unwrap_or(LONGEST).min(LONGEST);
    let (mut loads, mut longest) = (Vec::new(), Span::ZERO);
    if let Some(path) = &overrides.load {
        let (pieces, length) = trace(path, 1.0)?;
        return Ok((vec![Load::Open(Open { pieces, exact: true, class: None })], length));
    }
    for (index, given) in file.load.iter().enumerate() {
        let path = format!("load.{index}");
        let class = |name: &Option<String>| {
            let name = name.as_ref().map(|name| class_named(file, name, &format!("{path}.class")));
            name.transpose()
        };
        let open = |pieces, exact, class| Load::Open(Open { pieces, exact, class });
        let load = match given {
            LoadFile::Constant { rate, from, length, scale, class: name } => {
                let rate = rate * scale.unwrap_or(1.0);
                let to = length.map_or(end, |length| *from + length);
                let piece = Piece { from: *from, to, rate_from: rate, rate_to: rate };
                open(vec![piece], false, class(name)?)
            }
            LoadFile::Curve { points, scale, class: name } => {
                open(curve(points, scale.unwrap_or(1.0)), false, class(name)?)
            }
            LoadFile::BusinessHours { peak, base, scale, class: name } => {
                let points = business_hours(*peak, *base, start, end, zone);
                open(curve(&points, scale.unwrap_or(1.0)), false, class(name)?)
            }
            LoadFile::FlashSale { base, peak, at, rise, hold, decay, scale, class: name } => {
                let (top, fall) = (*at + *rise, *at + *rise + *hold);
                let over = fall + *decay;
                let points = [
                    (Span::ZERO, *base),
                    (*at, *base),
                    (top, *peak),
                    (fall, *peak),
                    (over, *base),
                    (end.max(over), *base),
                ];
                open(curve(&points, scale.unwrap_or(1.0)), false, class(name)?)
            }
            LoadFile::Exam { .. } => Load::Exam(exam(file, given, &path)?),
            LoadFile::Trace { file: name, exact, scale, class: kind } => {
                let (pieces, length) =
                    trace(&directory.join(name), scale.unwrap_or(1.0)).map_err(|fault| Fault {
                        hint: fault.hint,
                        ..Fault::at(&format!("{path}.file"), fault.message)
                    })?;
                longest = longest.max(length);
                open(pieces, *exact, class(kind)?)
            }
        };
        check_rates(&load, &path)?;
        loads.push(load);
    }
    if loads.is_empty() {
        return Err(Fault::at("load", "there is no load").hint("add a `[[load]]` table"));
    }
    Ok((loads, longest))
}

fn check_rates(load: &Load, path: &str) -> Result<(), Fault> {
    let Load::Open(open) = load else { return Ok(()) };
    let sane = |piece: &Piece| {
        let rate = 0.0..=RATE_MAX;
        rate.contains(&piece.rate_from) && rate.contains(&piece.rate_to) && piece.from < piece.to
    };
    if open.pieces.iter().all(sane) && open.pieces.is_sorted_by_key(|piece| piece.from) {
        return Ok(());
    }
    Err(Fault::at(path, format!("rates lie between 0 and {RATE_MAX} a second, times grow")))
}

fn exam(file: &ScenarioFile, given: &LoadFile, path: &str) -> Result<Exam, Fault> {
    let LoadFile::Exam {
        users,
        opens,
        login_within,
        length,
        submit_within,
        think,
        login,
        work,
        submit,
        retries,
        backoff,
    } = given
    else {
        return Err(Fault::at(path, "is not an exam"));
    };
    if *users == 0 || *users > 10_000_000 || length.is_zero() {
        return Err(Fault::at(path, "an exam has 1 to 10000000 users and a length"));
    }
    let class = |name: &str, field: &str| class_named(file, name, &format!("{path}.{field}"));
    Ok(Exam {
        users: *users,
        opens: *opens,
        login_within: *login_within,
        length: *length,
        submit_within: *submit_within,
        think: think.dist(),
        login: class(login, "login")?,
        work: class(work, "work")?,
        submit: class(submit, "submit")?,
        retries: retries.unwrap_or(3),
        backoff: backoff.unwrap_or(Span::from_secs(2)),
    })
}

/// Hours and shares of the way from base to peak on a working day.
const WORKING_DAY: [(i8, f64); 7] =
    [(8, 0.0), (10, 1.0), (12, 1.0), (13, 0.7), (14, 1.0), (17, 0.8), (19, 0.0)];

fn business_hours(
    peak: f64,
    base: f64,
    start: Timestamp,
    length: Span,
    zone: &TimeZone,
) -> Vec<(Span, f64)> {
    let end = start + length;
    let mut day = zone.to_datetime(start.to_jiff()).date();
    let mut points = vec![(Span::ZERO, base)];
    loop {
        let weekday = day.weekday().to_monday_zero_offset();
        for (hour, share) in WORKING_DAY {
            let instant = zone.to_ambiguous_timestamp(day.at(hour, 0, 0, 0)).compatible();
            let at = instant.ok().and_then(Timestamp::from_jiff);
            if let Some(at) = at.filter(|at| weekday < 5 && *at > start && *at < end) {
                points.push((at.since(start), base + share * (peak - base)));
            }
        }
        let Ok(next) = day.tomorrow() else { break };
        day = next;
        let midnight = zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible();
        if midnight.ok().and_then(Timestamp::from_jiff).is_none_or(|at| at >= end) {
            break;
        }
    }
    points.push((length, base));
    points
}
