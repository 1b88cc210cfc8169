//! Faults: when each begins, and whom it may concern.

use tidegate_core::{ServerId, Span, StepName};

use crate::model::{FaultKind, Injection, Onset, Part, SharedService};
use crate::scenario::Fault;
use crate::scenario::file::{FaultFile, ScenarioFile};

/// The faults, none of which begins after `last`.
pub(super) fn faults(
    file: &ScenarioFile,
    standbys: u16,
    last: Span,
) -> Result<Vec<Injection>, Fault> {
    if file.fault.len() > 1_000 {
        return Err(Fault::at("fault", "at most 1000 faults are supported"));
    }
    let lower = |(index, given): (usize, &FaultFile)| {
        let reader = Reader { given, path: format!("fault.{index}") };
        reader.check_keys()?;
        reader.check_step()?;
        let onset = reader.onset(last)?;
        reader.injection(onset, standbys)
    };
    file.fault.iter().enumerate().map(lower).collect()
}

struct Reader<'a> {
    given: &'a FaultFile,
    path: String,
}

impl Reader<'_> {
    fn at(&self, key: &str, message: impl Into<String>) -> Fault {
        Fault::at(&format!("{}.{key}", self.path), message)
    }

    fn needs(&self, key: &str, example: &str) -> Fault {
        let message = format!("a fault of kind `{}` needs `{key}`", self.given.kind.name());
        Fault::at(&self.path, message).hint(format!("add it, such as {example}"))
    }

    /// Keys that would change nothing are refused.
    fn check_keys(&self) -> Result<(), Fault> {
        use FaultKind as Kind;
        let given = self.given;
        let kind = given.kind;
        let grows =
            matches!(kind, Kind::BootSlow | Kind::MemoryLeak | Kind::Slow | Kind::RetryStorm);
        let late = default_by(kind).is_some();
        let serves = matches!(kind, Kind::Slow | Kind::Stalled | Kind::Errors);
        let linked = matches!(kind, Kind::Cut | Kind::SlowLink);
        let keys = [
            ("factor", given.factor.is_some(), grows),
            ("by", given.by.is_some(), late),
            ("service", given.service.is_some(), serves),
            ("between", given.between.is_some(), linked),
            ("keeps_data", given.keeps_data.is_some(), kind == Kind::RedisRestarts),
            ("point", given.point.is_some(), kind == Kind::ControllerKilled),
            ("attempts", given.attempts.is_some(), kind.is_of_commands()),
            ("after", given.after.is_some(), !kind.is_of_commands() && given.step.is_some()),
            ("nth", given.nth.is_some(), given.step.is_some()),
            ("step", given.step.is_some() && given.nth.is_none(), kind.is_of_commands()),
        ];
        match keys.into_iter().find(|(_, given, meant)| *given && !meant) {
            None => Ok(()),
            Some((key, ..)) => {
                let message = format!("`{key}` means nothing to a fault of kind `{}`", kind.name());
                Err(self.at(key, message).hint("take it out"))
            }
        }
    }

    /// A change of routing may be lost though it is said to be made; other commands are done when
    /// they are said to be.
    fn check_step(&self) -> Result<(), Fault> {
        let routes = matches!(self.given.step, None | Some(StepName::Join | StepName::Drain));
        if self.given.kind == FaultKind::ChangeLost && !routes {
            return Err(self.at("step", "only `join` and `drain` change the routing"));
        }
        Ok(())
    }

    fn onset(&self, last: Span) -> Result<Onset, Fault> {
        let given = self.given;
        let ways = [given.at.is_some(), given.every.is_some(), given.nth.is_some()];
        if ways.iter().filter(|way| **way).count() != 1 {
            return Err(Fault::at(&self.path, "a fault needs one of `at`, `every` and `nth`")
                .hint("write at = \"10m\", or every = \"2h\", or step = \"join\" and nth = 1"));
        }
        if let (Some(step), Some(nth)) = (given.step, given.nth) {
            if nth == 0 {
                return Err(self.at("nth", "is counted from 1"));
            }
            let attempts = given.attempts.unwrap_or(1);
            let delay = given.after.unwrap_or(Span::ZERO);
            return Ok(Onset::Command { step, nth, attempts, delay });
        }
        if let Some(every) = given.every {
            if every < Span::from_secs(1) {
                return Err(self.at("every", "must be at least 1s"));
            }
            return Ok(Onset::Every(every));
        }
        let at = given.at.unwrap_or(Span::ZERO);
        if at >= last {
            return Err(self.at("at", format!("{at} lies after the end of the run")));
        }
        Ok(Onset::At(at))
    }

    fn injection(&self, onset: Onset, standbys: u16) -> Result<Injection, Fault> {
        let given = self.given;
        let kind = given.kind;
        let day = Span::from_hours(24);
        let length = given.length.unwrap_or(Span::from_mins(1));
        for (key, span) in [("for", Some(length)), ("by", given.by), ("after", given.after)] {
            if span.is_some_and(|span| span > day.times(366)) {
                return Err(self.at(key, "must be at most 366d"));
            }
        }
        let factor = given.factor.unwrap_or(default_factor(kind));
        if !(1.0..=1e4).contains(&factor) {
            return Err(self.at("factor", "must be 1 to 10000"));
        }
        if kind == FaultKind::RetryStorm && factor > 100.0 {
            return Err(self.at("factor", "must be at most 100"));
        }
        Ok(Injection {
            kind,
            onset,
            length,
            server: self.server(standbys)?,
            step: given.step.filter(|_| kind.is_of_commands()),
            factor,
            by: given.by.or(default_by(kind)).unwrap_or(Span::ZERO),
            service: self.service()?,
            between: self.between()?,
            keeps_data: given.keeps_data.unwrap_or(true),
            point: given.point.unwrap_or_default(),
        })
    }

    fn server(&self, standbys: u16) -> Result<Option<ServerId>, Fault> {
        let Some(server) = self.given.server else { return Ok(None) };
        if server > standbys {
            let message = format!("there is no server {server}: the last standby is {standbys}");
            return Err(self.at("server", message));
        }
        if server == 0 && self.given.kind == FaultKind::ServerFrozen {
            let message = "the primary cannot stand still: what it hosts goes on";
            return Err(self.at("server", message).hint("name a standby, or take the key out"));
        }
        Ok(Some(ServerId(server)))
    }

    fn service(&self) -> Result<SharedService, Fault> {
        use FaultKind as Kind;
        let needed = matches!(self.given.kind, Kind::Slow | Kind::Stalled | Kind::Errors);
        match self.given.service {
            Some(service) => Ok(service),
            None if needed => Err(self.needs("service", "service = \"nfs\"")),
            None => Ok(SharedService::Redis),
        }
    }

    fn between(&self) -> Result<[Part; 2], Fault> {
        let needed = matches!(self.given.kind, FaultKind::Cut | FaultKind::SlowLink);
        let Some(between) = self.given.between else {
            return if needed {
                Err(self.needs("between", "between = [\"standby\", \"redis\"]"))
            } else {
                Ok([Part::Controller, Part::Controller])
            };
        };
        if joined(between) {
            return Ok(between);
        }
        Err(self.at("between", "nothing goes between these two").hint(
            "the controller talks to provider, proxy, primary, standby and monitoring; the proxy \
             and monitoring to primary and standby; these to redis, nfs and database",
        ))
    }
}

/// Whether two parts talk to one another.
fn joined([one, other]: [Part; 2]) -> bool {
    let talks = |from: Part, to: Part| {
        let server = matches!(to, Part::Primary | Part::Standby);
        match from {
            Part::Controller => {
                server || matches!(to, Part::Provider | Part::Proxy | Part::Monitoring)
            }
            Part::Proxy | Part::Monitoring => server,
            Part::Primary | Part::Standby => {
                matches!(to, Part::Redis | Part::Nfs | Part::Database)
            }
            Part::Provider | Part::Redis | Part::Nfs | Part::Database => false,
        }
    };
    talks(one, other) || talks(other, one)
}

fn default_factor(kind: FaultKind) -> f64 {
    let known = [
        (FaultKind::BootSlow, 4.0),
        (FaultKind::MemoryLeak, 50.0),
        (FaultKind::Slow, 10.0),
        (FaultKind::RetryStorm, 3.0),
    ];
    known.into_iter().find(|(one, _)| *one == kind).map_or(1.0, |(_, factor)| factor)
}

/// By how much something is late, of the kinds that make something late.
fn default_by(kind: FaultKind) -> Option<Span> {
    let known = [
        (FaultKind::ProviderSlow, Span::from_mins(2)),
        (FaultKind::AnswerTwice, Span::from_secs(30)),
        (FaultKind::CommandLate, Span::from_secs(30)),
        (FaultKind::CommandTwice, Span::from_secs(30)),
        (FaultKind::SlowLink, Span::from_millis(100)),
        (FaultKind::MetricsLate, Span::from_mins(1)),
        (FaultKind::ClockSkew, Span::from_mins(1)),
        (FaultKind::ClockJumps, Span::from_mins(10)),
    ];
    known.into_iter().find(|(one, _)| *one == kind).map(|(_, by)| by)
}
