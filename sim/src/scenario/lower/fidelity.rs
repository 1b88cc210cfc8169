//! How closely requests are followed, and what flows cannot show.

use tidegate_core::Span;

use crate::flow::Cumulative;
use crate::model::{FaultKind, Fidelity, Load, Model};
use crate::scenario::Fault;
use crate::scenario::file::FidelityFile;

/// More requests than these are taken as flows where the choice is the program's: about a minute's
/// work one by one.
const ONE_BY_ONE: f64 = 1e8;

/// The model with what was chosen and, where that was left to the program, why.
pub(super) fn choose(model: Model, chosen: FidelityFile) -> Result<Model, Fault> {
    let unknown = unknown_to_flows(&model);
    let (fidelity, because) = match chosen {
        FidelityFile::Request => (Fidelity::Request, None),
        FidelityFile::Fluid => match unknown {
            None => (Fidelity::Fluid, None),
            Some(key) => {
                let hint = format!("take `{key}` out, or set `fidelity` to \"request\"");
                let message = format!("flows do not know `{key}`");
                return Err(Fault::at("fidelity", message).hint(hint));
            }
        },
        FidelityFile::Auto => {
            let groups = model.fleet.as_ref();
            let scale = groups.map_or(1.0, |fleet| fleet.groups.iter().map(|one| one.scale).sum());
            let requests = scale * expected(&model.loads, model.duration);
            let about = format!("about {} requests are expected", rounded(requests));
            match unknown {
                Some(key) => (Fidelity::Request, Some(format!("flows do not know `{key}`"))),
                None if requests > ONE_BY_ONE => (Fidelity::Fluid, Some(about)),
                None => (Fidelity::Request, Some(about)),
            }
        }
    };
    Ok(Model { fidelity, fidelity_because: because, ..model })
}

/// The first key that makes a difference only between one request and another.
fn unknown_to_flows(model: &Model) -> Option<String> {
    let keys = [
        (model.proxy.sticky, "proxy.sticky"),
        (model.proxy.health.is_some(), "proxy.health"),
        (model.proxy.connections.is_some(), "proxy.connect"),
        (model.memory.oom_killer, "memory.oom_killer"),
        (model.store.is_some(), "redis.memory"),
        (model.snapshot.is_some(), "redis.snapshot"),
        (model.append.is_some(), "redis.append_only"),
        (model.redis.queue.is_some(), "redis.queue"),
        (model.database.queue.is_some(), "database.queue"),
        (model.nfs.queue.is_some(), "nfs.queue"),
        (model.files.is_some(), "nfs"),
    ];
    let key = keys.into_iter().find(|(given, _)| *given).map(|(_, key)| key.to_owned());
    let fault = || model.faults.iter().position(|one| is_of_single_ones(one.kind));
    key.or_else(|| fault().map(|index| format!("fault.{index}")))
}

/// Whether a fault befalls single requests, jobs or visits.
const fn is_of_single_ones(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::ServerDies
            | FaultKind::ServerFrozen
            | FaultKind::ServicesCrash
            | FaultKind::WorkerDies
            | FaultKind::MemoryLeak
            | FaultKind::Deploy
            | FaultKind::Slow
            | FaultKind::Stalled
            | FaultKind::Errors
            | FaultKind::StorageFull
            | FaultKind::RedisRestarts
            | FaultKind::RedisFull
            | FaultKind::Cut
            | FaultKind::SlowLink
            | FaultKind::RetryStorm
    )
}

/// Requests that a model's loads bring.
pub(crate) fn expected_requests(model: &Model) -> f64 {
    expected(&model.loads, model.duration)
}

/// Requests that the loads bring, people's at the pace of their thoughts.
pub(crate) fn expected(loads: &[Load], duration: Span) -> f64 {
    let load = |load: &Load| match load {
        Load::Open(open) => Cumulative::new(open).expected(duration.as_secs_f64()),
        Load::Exam(exam) => {
            let think = exam.think.mean_seconds().max(1e-3);
            f64::from(exam.users) * (exam.length.as_secs_f64() / think + 2.0)
        }
    };
    loads.iter().map(load).sum()
}

/// A number to two digits, with the word for its size.
fn rounded(number: f64) -> String {
    let (unit, word) = match number {
        n if n >= 1e9 => (1e9, " billion"),
        n if n >= 1e6 => (1e6, " million"),
        n if n >= 1e3 => (1e3, " thousand"),
        _ => (1.0, ""),
    };
    let shown = number / unit;
    if shown < 10.0 { format!("{shown:.1}{word}") } else { format!("{shown:.0}{word}") }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::{Overrides, ScenarioError, parse};

    fn read(more: &str, rate: f64) -> Result<Model, ScenarioError> {
        let text = format!(
            r#"
start = "2026-03-02T00:00[UTC]"
duration = "1h"
{more}
plans.small = {{ vcpu = 2, memory = "4GiB", price = "125 USD/month" }}
group = {{ primary = "small" }}
request = [{{ name = "page", phases = [{{ cpu = "1ms" }}] }}]
load = [{{ kind = "constant", rate = {rate:.1} }}]
"#
        );
        parse("fidelity", "fidelity.toml", &text, Path::new("."), &Overrides::default())
    }

    #[test]
    fn auto_takes_billions_as_flows_and_says_so() {
        let few = read("fidelity = \"auto\"", 1_000.0).unwrap();
        let many = read("fidelity = \"auto\"", 1_000_000.0).unwrap();
        assert_eq!((few.fidelity, many.fidelity), (Fidelity::Request, Fidelity::Fluid));
        let why = "about 3.6 billion requests are expected";
        assert_eq!(many.fidelity_because.as_deref(), Some(why));
    }

    #[test]
    fn what_flows_do_not_know_is_refused_or_avoided() {
        let sticky = "proxy.sticky = true\nfidelity = ";
        let error = read(&format!("{sticky}\"fluid\""), 1.0).unwrap_err();
        assert_eq!(error.position(), Some((5, 12)), "{error:?}");
        let error = read("fidelity = \"fluid\"\ndatabase.queue = 9", 1.0).unwrap_err();
        assert_eq!(error.to_string(), "fidelity.toml:4:12: flows do not know `database.queue`");
        let append = "fidelity = \"fluid\"\nredis.append_only = { fsync = \"no\" }";
        let error = read(append, 1.0).unwrap_err();
        assert!(error.to_string().ends_with("flows do not know `redis.append_only`"), "{error}");
        let model = read(&format!("{sticky}\"auto\""), 1_000_000.0).unwrap();
        assert_eq!(model.fidelity, Fidelity::Request);
    }
}
