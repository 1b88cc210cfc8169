//! Faults drawn for a case.

use tidegate_core::{Span, StepName};

use super::bounds::Bounds;
use super::chance::Chance;
use super::draw::quoted;
use crate::model::FaultKind;
use crate::scenario::Edits;

/// What the controller talks to, and who talks to whom.
const LINKS: [&str; 9] = [
    r#"["controller", "provider"]"#,
    r#"["controller", "proxy"]"#,
    r#"["controller", "standby"]"#,
    r#"["controller", "monitoring"]"#,
    r#"["monitoring", "standby"]"#,
    r#"["proxy", "standby"]"#,
    r#"["standby", "redis"]"#,
    r#"["standby", "nfs"]"#,
    r#"["standby", "database"]"#,
];

/// Draws the faults of a run of `shape`: standbys and length. The file has `first` of its own.
pub(super) fn draw_faults(
    first: usize,
    shape: (u16, Span),
    bounds: &Bounds,
    chance: &mut Chance,
    edits: &mut Edits,
) {
    let count = chance.number(bounds.faults[0].into(), bounds.faults[1].into()) as usize;
    for index in first..first + count {
        let kind = chance.one(&bounds.kinds);
        let path = format!("fault.{index}");
        edits.set(&format!("{path}.kind"), format!("\"{}\"", kind.name()));
        let mut draw = Draw { path, kind, shape, bounds, chance, edits };
        draw.onset();
        draw.server();
        draw.details();
    }
}

struct Draw<'a> {
    path: String,
    kind: FaultKind,
    shape: (u16, Span),
    bounds: &'a Bounds,
    chance: &'a mut Chance,
    edits: &'a mut Edits,
}

impl Draw<'_> {
    fn set(&mut self, key: &str, value: impl Into<String>) {
        self.edits.set(&format!("{}.{key}", self.path), value);
    }

    /// With a command, at a time or again and again; over before the quiet part begins.
    fn onset(&mut self) {
        let (_, duration) = self.shape;
        let loud = 1.0 - self.bounds.quiet;
        let longest = Span::from_secs((duration.as_secs_f64() * loud / 3.0) as i64);
        let [shortest, most] = self.bounds.lasting;
        let length = self.chance.span(shortest, most.min(longest.max(shortest)));
        self.set("for", quoted(length));
        if self.kind != FaultKind::SecondController
            && self.kind != FaultKind::ClockJumps
            && self.chance.happens(0.5)
        {
            let routing = [StepName::Join, StepName::Drain];
            let routes = self.kind == FaultKind::ChangeLost;
            let step = self.chance.one(if routes { &routing } else { &StepName::ALL[..] });
            self.set("step", format!("\"{}\"", step.name()));
            let nth = self.chance.number(1, 3);
            self.set("nth", nth.to_string());
            if self.kind.is_of_commands() {
                let attempts = self.chance.number(1, 4);
                self.set("attempts", attempts.to_string());
            } else if self.kind == FaultKind::ControllerKilled {
                let point = self.chance.one(&["before", "stored", "acted"]);
                self.set("point", format!("\"{point}\""));
            } else {
                let after = self.chance.span(Span::from_secs(1), Span::from_mins(5));
                self.set("after", quoted(after));
            }
        } else if self.chance.happens(0.2) {
            let every = self.chance.span(duration.min(Span::from_mins(10)), duration);
            self.set("every", quoted(every));
        } else {
            let at = self.chance.moment(duration, loud / 1.5);
            self.set("at", quoted(at));
        }
    }

    fn server(&mut self) {
        let (standbys, _) = self.shape;
        let of_a_server = matches!(
            self.kind,
            FaultKind::ServerDies
                | FaultKind::ServicesCrash
                | FaultKind::WorkerDies
                | FaultKind::MemoryLeak
        );
        let often = if self.kind == FaultKind::WorkerDies { 0.7 } else { 0.2 };
        if of_a_server && self.chance.happens(often) {
            self.set("server", "0");
        } else if standbys > 1 && self.chance.happens(0.3) {
            let server = self.chance.number(1, standbys.into());
            self.set("server", server.to_string());
        }
    }

    fn details(&mut self) {
        use FaultKind as Kind;
        if matches!(self.kind, Kind::Slow | Kind::Stalled | Kind::Errors) {
            let service = self.chance.one(&["redis", "nfs", "database"]);
            self.set("service", format!("\"{service}\""));
        } else if matches!(self.kind, Kind::Cut | Kind::SlowLink) {
            let links = if self.kind == Kind::Cut { &LINKS[..] } else { &LINKS[6..] };
            let link = self.chance.one(links);
            self.set("between", link);
        } else if self.kind == Kind::RedisRestarts {
            let keeps = self.chance.happens(0.5);
            self.set("keeps_data", keeps.to_string());
        } else if matches!(self.kind, Kind::MetricsLate | Kind::ClockSkew) {
            let by = self.chance.span(Span::from_secs(10), Span::from_mins(5));
            self.set("by", quoted(by));
        } else if matches!(self.kind, Kind::ClockJumps) {
            let by = self.chance.span(Span::from_secs(10), Span::from_hours(2));
            self.set("by", quoted(by));
        } else if matches!(
            self.kind,
            Kind::AnswerTwice | Kind::CommandLate | Kind::CommandTwice | Kind::ProviderSlow
        ) {
            let by = self.chance.span(Span::from_secs(1), Span::from_mins(15));
            self.set("by", quoted(by));
        }
    }
}
