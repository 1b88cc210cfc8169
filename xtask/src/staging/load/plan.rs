//! What is sent when, from the scenario's loads.

use tidegate_core::Span;
use tidegate_sim::arrivals::Arrivals;
use tidegate_sim::chance::{Draws, Uniforms};
use tidegate_sim::model::{Load, Model, Open, Phase, Piece, Place};

use crate::staging::config::Tempo;
use crate::staging::failure::Failure;

/// What a request or job costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// On a core of a server.
    pub cpu: Span,
    /// Elsewhere.
    pub wait: Span,
}

/// A request that is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub number: u64,
    /// Time from the start.
    pub after: Span,
    pub cost: Cost,
    /// The job that it enqueues: its number, and what it costs.
    pub job: Option<(u64, Cost)>,
}

/// The steps of a kind, each with its draws.
struct Class(Vec<(Place, Draws)>);

impl Class {
    fn new(model: &Model, kind: &str, name: &str, phases: &[Phase]) -> Self {
        let steps = phases.iter().enumerate().map(|(step, phase)| {
            let stream = format!("{kind}/{name}/{step}");
            (phase.place, Draws::new(&phase.demand, model.seed, &stream))
        });
        Self(steps.collect())
    }

    fn draw(&mut self) -> Cost {
        let mut cost = Cost::default();
        for (place, draws) in &mut self.0 {
            let length = Span::from_nanos(draws.draw().cast_signed());
            let total = if *place == Place::Cpu { &mut cost.cpu } else { &mut cost.wait };
            *total += length;
        }
        cost
    }
}

struct Source {
    arrivals: Arrivals,
    class: Option<usize>,
    next: u64,
}

/// Jobs that are enqueued by the clock.
struct Cron {
    class: usize,
    next: Span,
    every: Span,
    count: u32,
    left: u32,
}

/// All that is to be sent, in the order of time.
pub(super) struct Plan {
    sources: Vec<Source>,
    crons: Vec<Cron>,
    end: Span,
    requests: Vec<Class>,
    jobs: Vec<Class>,
    /// Of each kind of request, the share of those up to it.
    shares: Vec<f64>,
    enqueues: Vec<Option<(usize, f64)>>,
    class: Uniforms,
    job: Uniforms,
    jobs_sent: u64,
    sent: u64,
}

impl Plan {
    pub fn new(model: &Model, tempo: Tempo) -> Result<Self, Failure> {
        let open = |(index, load): (usize, &Load)| match load {
            Load::Open(open) => {
                let open = faster(open, tempo);
                let mut arrivals = Arrivals::new(&open, model.seed, &format!("load/{index}"));
                let next = arrivals.draw();
                Ok(Source { arrivals, class: open.class, next })
            }
            Load::Exam(_) => {
                let why = "people of an `exam` wait for answers, which is not driven: take another";
                Err(Failure::said("drive the load", why))
            }
        };
        let weights: Vec<_> = model.requests.iter().map(|class| f64::from(class.weight)).collect();
        let total: f64 = weights.iter().sum();
        let below = |sum: &mut f64, weight: &f64| {
            *sum += weight / total;
            Some(*sum)
        };
        let share = |share: tidegate_core::Ratio| f64::from(share.ppm()) / 1e6;
        Ok(Self {
            sources: model.loads.iter().enumerate().map(open).collect::<Result<_, _>>()?,
            crons: crons(model, tempo),
            end: tempo.length(model.duration),
            requests: model
                .requests
                .iter()
                .map(|class| Class::new(model, "request", &class.name, &class.phases))
                .collect(),
            jobs: model
                .jobs
                .iter()
                .map(|class| Class::new(model, "job", &class.name, &class.phases))
                .collect(),
            shares: weights.iter().scan(0.0, below).collect(),
            enqueues: model
                .requests
                .iter()
                .map(|class| class.enqueues.map(|(job, often)| (job, share(often))))
                .collect(),
            class: Uniforms::new(model.seed, "request/class"),
            job: Uniforms::new(model.seed, "request/job"),
            jobs_sent: 0,
            sent: 0,
        })
    }

    /// The next one.
    pub fn next(&mut self) -> Option<Planned> {
        let source = self.sources.iter_mut().min_by_key(|source| source.next);
        let cron = self.crons.iter_mut().min_by_key(|cron| cron.next);
        let arrival = source.as_ref().and_then(|source| i64::try_from(source.next).ok());
        let arrival = arrival.map_or(Span::MAX, Span::from_nanos);
        let after = arrival.min(cron.as_ref().map_or(Span::MAX, |cron| cron.next));
        if after >= self.end {
            return None;
        }
        let number = self.sent;
        self.sent += 1;
        if let Some(cron) = cron.filter(|cron| cron.next == after) {
            let class = cron.take();
            let job = Some(self.enqueue(class));
            return Some(Planned { number, after, cost: Cost::default(), job });
        }
        let source = source?;
        source.next = source.arrivals.draw();
        let class = source.class.unwrap_or_else(|| {
            let draw = if self.shares.len() == 1 { 0.0 } else { self.class.draw() };
            self.shares.iter().position(|share| draw <= *share).unwrap_or(self.shares.len() - 1)
        });
        let cost = self.requests[class].draw();
        let job = self.enqueues[class].filter(|(_, share)| self.job.draw() <= *share);
        let job = job.map(|(class, _)| self.enqueue(class));
        Some(Planned { number, after, cost, job })
    }

    fn enqueue(&mut self, class: usize) -> (u64, Cost) {
        self.jobs_sent += 1;
        (self.jobs_sent - 1, self.jobs[class].draw())
    }
}

impl Cron {
    /// The kind of the job that is due; the next one is due at the same time or later.
    fn take(&mut self) -> usize {
        self.left -= 1;
        if self.left == 0 {
            self.left = self.count;
            self.next = Span::from_nanos(self.next.as_nanos() + self.every.as_nanos());
        }
        self.class
    }
}

fn crons(model: &Model, tempo: Tempo) -> Vec<Cron> {
    let crons = model.cron_jobs.iter().filter(|cron| cron.count > 0);
    let cron = crons.map(|cron| Cron {
        class: cron.class,
        next: tempo.length(cron.first),
        every: tempo.length(cron.every),
        count: cron.count,
        left: cron.count,
    });
    cron.filter(|cron| !cron.every.is_zero()).collect()
}

/// The same rates, in a time that passes faster.
fn faster(open: &Open, tempo: Tempo) -> Open {
    let piece = |piece: &Piece| Piece {
        from: tempo.length(piece.from),
        to: tempo.length(piece.to),
        ..*piece
    };
    let pieces = open.pieces.iter().map(piece).filter(|piece| piece.from < piece.to).collect();
    Open { pieces, ..open.clone() }
}
