//! Kinds of requests and of background jobs.

use std::path::Path;

use tidegate_core::Span;

use super::files;
use super::hardware::unique;
use super::shared;
use crate::model::{CronJob, Dist, JobClass, Phase, Place, Queue, RequestClass, Write};
use crate::scenario::file::{
    CronJobFile, JobFile, PhaseFile, QueueFile, RequestFile, ScenarioFile, StorageWork,
};
use crate::scenario::{Fault, did_you_mean};

/// The phases as they are given, after a visit to each shared station that they do not name.
fn phases(
    file: &ScenarioFile,
    directory: &Path,
    given: &[PhaseFile],
    path: &str,
) -> Result<Vec<Phase>, Fault> {
    if given.is_empty() || given.len() > 30 {
        return Err(Fault::at(path, "1 to 30 phases are supported"));
    }
    let phase = |(index, phase): (usize, &PhaseFile)| {
        let path = format!("{path}.{index}");
        let (place, length) = match phase {
            PhaseFile::Cpu(length) => (Place::Cpu, length),
            PhaseFile::Redis(length) => (Place::Redis, length),
            PhaseFile::Database(length) => (Place::Database, length),
            PhaseFile::Nfs(StorageWork::Length(length)) => (Place::Nfs, length),
            PhaseFile::Nfs(StorageWork::Read(size)) => return files::read(file, *size, &path),
            PhaseFile::Nfs(StorageWork::Write(size)) => return files::write(file, *size, &path),
            PhaseFile::Wait(length) => (Place::Wait, length),
        };
        Ok(vec![Phase { place, demand: length.dist(directory, &path)? }])
    };
    let given: Vec<Vec<Phase>> = given.iter().enumerate().map(phase).collect::<Result<_, _>>()?;
    let given = given.concat();
    let shared = [
        (Place::Redis, file.redis.touch.unwrap_or(Span::from_nanos(100_000))),
        (Place::Nfs, files::touch(file)),
        (Place::Database, file.database.touch.unwrap_or(Span::ZERO)),
    ];
    let missing = |(place, touch): &(Place, Span)| {
        !touch.is_zero() && given.iter().all(|phase| phase.place.host() != *place)
    };
    let visit = |(place, touch)| Phase { place, demand: Dist::Constant(touch) };
    let visits = shared.into_iter().filter(missing).map(visit);
    Ok(visits.chain(given.iter().cloned()).collect())
}

pub(super) fn requests(file: &ScenarioFile, directory: &Path) -> Result<Vec<RequestClass>, Fault> {
    let weight = |request: &RequestFile| request.weight.unwrap_or(1);
    if let Some(index) = file.request.iter().position(|request| weight(request) > 1_000_000) {
        return Err(Fault::at(&format!("request.{index}.weight"), "must be at most 1000000"));
    }
    if file.request.iter().all(|request| weight(request) == 0) {
        return Err(Fault::at("request", "at least one kind of request needs a weight above zero"));
    }
    unique(file.request.iter().map(|request| request.name.as_str()), "request")?;
    let class = |(index, request): (usize, &RequestFile)| {
        let job = request.enqueues.as_ref().map(|enqueues| {
            let path = format!("request.{index}.enqueues.job");
            Ok((job_named(file, &enqueues.job, &path)?, enqueues.share))
        });
        let mut phases =
            phases(file, directory, &request.phases, &format!("request.{index}.phases"))?;
        if let Some(miss) = &request.miss {
            let demand = miss.dist(directory, &format!("request.{index}.miss"))?;
            phases.push(Phase { place: Place::Miss, demand });
        }
        if request.writes.is_some() || job.is_some() {
            phases.extend(shared::sync(file, directory)?);
        }
        Ok(RequestClass {
            name: request.name.clone(),
            weight: weight(request),
            phases,
            enqueues: job.transpose()?,
            idempotent: request.idempotent.unwrap_or(true),
            writes: request.writes.map(|writes| Write { size: writes.size.0, ttl: writes.ttl }),
        })
    };
    file.request.iter().enumerate().map(class).collect()
}

pub(super) fn jobs(file: &ScenarioFile, directory: &Path) -> Result<Vec<JobClass>, Fault> {
    unique(file.job.iter().map(|job| job.name.as_str()), "job")?;
    let class = |(index, job): (usize, &JobFile)| {
        let mut phases = phases(file, directory, &job.phases, &format!("job.{index}.phases"))?;
        phases.extend(shared::sync(file, directory)?);
        Ok(JobClass {
            name: job.name.clone(),
            queue: match job.queue {
                QueueFile::Short => Queue::Short,
                QueueFile::Default => Queue::Default,
                QueueFile::Long => Queue::Long,
            },
            payload: job.payload.map_or(1 << 10, |size| size.0),
            phases,
        })
    };
    file.job.iter().enumerate().map(class).collect()
}

fn job_named(file: &ScenarioFile, name: &str, path: &str) -> Result<usize, Fault> {
    named(file.job.iter().map(|job| job.name.as_str()), name, path, "job")
}

pub(super) fn class_named(file: &ScenarioFile, name: &str, path: &str) -> Result<usize, Fault> {
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

pub(super) fn cron_jobs(file: &ScenarioFile) -> Result<Vec<CronJob>, Fault> {
    let cron = |(index, job): (usize, &CronJobFile)| {
        if job.count.is_some_and(|count| count > 100_000) {
            return Err(Fault::at(&format!("cron_job.{index}.count"), "must be at most 100000"));
        }
        if job.every < Span::from_millis(10) {
            return Err(Fault::at(&format!("cron_job.{index}.every"), "must be at least 10ms"));
        }
        Ok(CronJob {
            class: job_named(file, &job.job, &format!("cron_job.{index}.job"))?,
            first: job.first,
            every: job.every,
            count: job.count.unwrap_or(1),
        })
    };
    file.cron_job.iter().enumerate().map(cron).collect()
}
