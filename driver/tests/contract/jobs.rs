mod encrypted;
mod rq;

use tidegate_core::{Failure, ServerId};
use tidegate_driver::ports::{Jobs, Workers};

use crate::support::{ask, eventually, fake, order};

pub const PRIMARY: ServerId = ServerId::PRIMARY;

pub async fn of(jobs: &dyn Jobs, server: ServerId) -> Workers {
    let workers = jobs.workers(ask()).await.unwrap();
    workers.into_iter().find(|workers| workers.server == server).unwrap()
}

pub async fn busy(jobs: &dyn Jobs, server: ServerId) -> u32 {
    of(jobs, server).await.busy.unwrap().value
}

pub async fn is_registered(jobs: &dyn Jobs) -> bool {
    of(jobs, PRIMARY).await.registered.unwrap().value
}

async fn keeps_the_contract(jobs: &dyn Jobs) {
    assert!(is_registered(jobs).await);
    let quiesce =
        async |generation| jobs.quiesce(order(PRIMARY, generation)).await.map_err(|e| e.failure);
    let resume =
        async |generation| jobs.resume(order(PRIMARY, generation)).await.map_err(|e| e.failure);
    assert_eq!(resume(1).await, Ok(()), "what takes jobs is resumed");
    for _ in 0..2 {
        assert_eq!(quiesce(2).await, Ok(()));
    }
    eventually("no job", async || (busy(jobs, PRIMARY).await == 0).then_some(())).await;
    assert_eq!(resume(1).await, Err(Failure::Fenced));
    for _ in 0..2 {
        assert_eq!(resume(3).await, Ok(()));
        assert!(is_registered(jobs).await, "done when it is so");
    }
    assert_eq!(quiesce(2).await, Err(Failure::Fenced));
    assert!(is_registered(jobs).await, "what was refused has no effect");
    let stranger = jobs.quiesce(order(ServerId(9), 4)).await.map_err(|why| why.failure);
    assert_eq!(stranger, Err(Failure::Refused));
}

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    keeps_the_contract(&*fake()).await;
}
