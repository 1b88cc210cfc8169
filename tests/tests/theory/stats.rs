//! Means of replications, their confidence intervals, and families of comparisons.

/// Probability that any interval of a family misses though the world is exact.
const FAMILY_LEVEL: f64 = 0.001;

/// Independent replications of each row of a grid.
pub const SEEDS: usize = 32;

/// Share of Student's t with so many degrees of freedom that lies within ±`t`
/// (Abramowitz and Stegun, 26.7.3 and 26.7.4).
fn within(t: f64, freedom: usize) -> f64 {
    let angle = (t / (freedom as f64).sqrt()).atan();
    let (sine, cosine) = angle.sin_cos();
    let series = |first: f64, terms: usize, offset: f64| {
        let (mut term, mut sum) = (first, first);
        for k in 1..=terms {
            let even = 2.0 * k as f64;
            term *= (even - 1.0 + offset) / (even + offset) * cosine * cosine;
            sum += term;
        }
        sum
    };
    match freedom {
        1 => 2.0 / std::f64::consts::PI * angle,
        _ if freedom.is_multiple_of(2) => sine * series(1.0, freedom / 2 - 1, 0.0),
        _ => {
            let sum = series(cosine, (freedom - 3) / 2, 1.0);
            2.0 / std::f64::consts::PI * (angle + sine * sum)
        }
    }
}

/// The value that Student's t exceeds in either direction with probability `level`.
fn quantile(level: f64, freedom: usize) -> f64 {
    let (mut low, mut high) = (0.0, 1e6);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if within(middle, freedom) < 1.0 - level { low = middle } else { high = middle }
    }
    high
}

fn mean(samples: &[f64]) -> f64 {
    samples.iter().sum::<f64>() / samples.len() as f64
}

fn standard_error(samples: &[f64]) -> f64 {
    let centre = mean(samples);
    let squares: f64 = samples.iter().map(|one| (one - centre).powi(2)).sum();
    let count = samples.len() as f64;
    (squares / (count - 1.0) / count).sqrt()
}

/// What theory says of a mean, and what each replication found.
struct Comparison {
    what: String,
    exact: f64,
    found: Vec<f64>,
}

/// Comparisons that hold together: the level is divided among them (Bonferroni).
#[derive(Default)]
pub struct Family {
    all: Vec<Comparison>,
}

impl Family {
    /// Adds a comparison of the mean of `found` with the `exact` value.
    pub fn compare(
        &mut self,
        what: impl Into<String>,
        exact: f64,
        found: impl Iterator<Item = f64>,
    ) {
        self.all.push(Comparison { what: what.into(), exact, found: found.collect() });
    }

    /// Each interval covers its exact value, and is at most `precision` of it to either side.
    pub fn assert_exact(&self, name: &str, precision: f64) {
        let level = FAMILY_LEVEL / self.all.len() as f64;
        let (mut wrong, mut worst, mut widest) = (Vec::new(), (0.0, ""), (0.0, ""));
        for Comparison { what, exact, found } in &self.all {
            let half_width = quantile(level, found.len() - 1) * standard_error(found);
            let off = (mean(found) - exact).abs();
            if off > half_width || half_width > precision * exact {
                wrong.push(format!("{what}: {} ± {half_width}, exact {exact}", mean(found)));
            }
            for (record, value) in [(&mut worst, off / exact), (&mut widest, half_width / exact)] {
                if value > record.0 {
                    *record = (value, what.as_str());
                }
            }
        }
        self.report(name, worst, widest);
        assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    }

    #[expect(clippy::print_stderr, reason = "figures for the page on the model")]
    fn report(&self, name: &str, worst: (f64, &str), widest: (f64, &str)) {
        let mut off: Vec<f64> =
            self.all.iter().map(|one| (mean(&one.found) - one.exact).abs() / one.exact).collect();
        off.sort_by(f64::total_cmp);
        eprintln!(
            "{name}: {} comparisons; off by {:.3} % in the median, {:.2} % at worst ({}); \
             widest half-width {:.1} % ({})",
            self.all.len(),
            100.0 * off[off.len() / 2],
            100.0 * worst.0,
            worst.1,
            100.0 * widest.0,
            widest.1,
        );
    }

    /// Four times the seeds halve the standard error, over the comparisons' geometric mean.
    pub fn assert_shrinks(&self) {
        let ratio = |one: &Comparison| {
            let few = &one.found[..one.found.len() / 4];
            (standard_error(&one.found) / standard_error(few)).ln()
        };
        let mean = (self.all.iter().map(ratio).sum::<f64>() / self.all.len() as f64).exp();
        assert!((0.4..0.6).contains(&mean), "four times the seeds give {mean} of the error");
    }
}

#[test]
fn quantiles_of_students_t_are_those_of_the_tables() {
    for (level, freedom, expected) in [
        (0.05, 1, 12.706),
        (0.05, 2, 4.303),
        (0.01, 3, 5.841),
        (0.05, 10, 2.228),
        (0.001, 19, 3.883),
        (0.01, 30, 2.750),
        (0.05, 4_000, 1.961),
    ] {
        let found = quantile(level, freedom);
        assert!((found - expected).abs() < 0.001, "{level} {freedom}: {found}");
    }
}

#[test]
#[should_panic(expected = "planted: 1 ±")]
fn a_mean_that_is_off_is_found() {
    let mut family = Family::default();
    family.compare("right", 1.0, [0.9, 1.0, 1.1, 1.0].into_iter());
    family.compare("planted", 1.1, [0.9999, 1.0, 1.0001, 1.0].into_iter());
    family.assert_exact("planted", 10.0);
}
