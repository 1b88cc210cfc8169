//! Requests that stand for many: fewer and heavier, the same work.

use tidegate_core::{Ratio, Span};

use crate::model::{Load, Model, Phase};
use crate::scenario::Fault;

/// Divides the loads and multiplies what a request takes. Each request enqueues its job as many
/// times as often, but never more than one.
pub(super) fn coarsen(model: &mut Model) -> Result<(), Fault> {
    let grain = model.grain;
    if !(1..=10_000).contains(&grain) {
        return Err(Fault::at("grain", "must be 1 to 10000"));
    }
    if grain == 1 {
        return Ok(());
    }
    let factor = f64::from(grain);
    for load in &mut model.loads {
        match load {
            Load::Open(open) => open.scale /= factor,
            Load::Exam(exam) => exam.users = exam.users.div_ceil(grain),
        }
    }
    let heavier = |phase: &mut Phase| phase.demand = phase.demand.times(factor);
    for class in &mut model.requests {
        class.phases.iter_mut().for_each(heavier);
        if let Some((_, share)) = &mut class.enqueues {
            let whole = u64::from(share.ppm()) * u64::from(grain);
            *share = Ratio::from_ppm(whole.min(1_000_000) as u32);
        }
    }
    model.memory.growth = model.memory.growth.saturating_mul(u64::from(grain));
    if model.memory.max_requests > 0 {
        model.memory.max_requests = model.memory.max_requests.div_ceil(grain);
        model.memory.max_requests_jitter /= grain;
    }
    // A request that waits behind heavier ones waits longer; its client is as patient as before.
    model.proxy.timeout =
        Span::from_nanos(model.proxy.timeout.as_nanos().saturating_mul(grain.into()));
    Ok(())
}
