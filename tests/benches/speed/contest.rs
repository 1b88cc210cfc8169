//! Contestants run in turns, A B C A B C …, so that a slow moment of the machine meets them all.

/// One run of a contestant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub seconds: f64,
    pub requests: u64,
    /// Events that it processed, if it counts them.
    pub events: Option<u64>,
    /// Mean of the times that it reports, in milliseconds.
    pub mean_ms: f64,
    /// Their 99th percentile.
    pub p99_ms: f64,
}

impl Run {
    pub fn requests_per_second(&self) -> f64 {
        self.requests as f64 / self.seconds
    }
}

/// A program that can be run, or why it cannot.
pub(crate) type Runner = Box<dyn Fn() -> Result<Run, String>>;

pub(crate) struct Contestant {
    pub name: String,
    /// How many times as fast the first contestant has to be, and by what name.
    pub wanted: Vec<(&'static str, f64)>,
    pub run: Runner,
}

/// What theory says of the times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Theory {
    pub mean_ms: f64,
    pub p99_ms: Option<f64>,
    /// Share by which the mean of ten million requests may be off; a mean of fewer may be off by
    /// as much more as the root of their number is less.
    pub within: f64,
}

impl Theory {
    /// What is wrong with a run's mean. Its percentile is off by more, and left to the reader.
    fn fault(&self, run: &Run) -> Option<String> {
        let within = self.within * (1e7 / run.requests as f64).sqrt();
        let off = (run.mean_ms / self.mean_ms - 1.0).abs();
        (off > within).then(|| {
            format!("its mean is {:.1} % off, more than {:.1} %", off * 100.0, within * 100.0)
        })
    }
}

pub(crate) struct Contest {
    pub title: String,
    /// What the reported times are.
    pub times: &'static str,
    pub theory: Option<Theory>,
    /// The simulator first.
    pub contestants: Vec<Contestant>,
}

/// What a contestant did in all rounds.
pub(crate) struct Row {
    pub runs: Vec<Run>,
    /// How many times as fast the first contestant was, in the median round.
    pub ratio: Option<f64>,
    /// Why there is no result, or what is wrong with it.
    pub fault: Option<String>,
}

impl Contest {
    /// Runs all contestants in turns; who fails once is left out from then on.
    pub fn hold(&self, rounds: usize) -> Vec<Row> {
        let row = |_: &Contestant| Row { runs: Vec::new(), ratio: None, fault: None };
        let mut rows: Vec<Row> = self.contestants.iter().map(row).collect();
        for _ in 0..rounds {
            for (contestant, row) in self.contestants.iter().zip(&mut rows) {
                if row.fault.is_none() {
                    self.take_turn(contestant, row);
                }
            }
        }
        let first = rows[0].runs.clone();
        for row in rows.iter_mut().skip(1) {
            let both = first.iter().zip(&row.runs);
            let ratio =
                |(us, it): (&Run, &Run)| us.requests_per_second() / it.requests_per_second();
            row.ratio = median(both.map(ratio).collect());
        }
        rows
    }

    fn take_turn(&self, contestant: &Contestant, row: &mut Row) {
        match (contestant.run)() {
            Ok(run) => {
                row.fault = self.theory.and_then(|theory| theory.fault(&run));
                row.runs.push(run);
            }
            Err(why) => row.fault = Some(why),
        }
    }
}

/// The middle one, or `None` of none.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
