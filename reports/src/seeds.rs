//! One scenario under many seeds: what each figure is, and how sure that is.

use std::fmt::Write as _;

use serde::Serialize;
use tidegate_core::record::Summary;

use crate::figures;
use crate::format::count;
use crate::tables::TableError;
use crate::terminal::{Style, cut, printable};
use crate::verdict::{broken, passed, unmet};

/// A figure over all seeds at which it has a value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Its path in `summary.json`.
    pub name: &'static str,
    /// Seeds at which it has a value.
    pub seeds: usize,
    /// Its mean.
    pub mean: Option<f64>,
    /// Half the width of the 95 % confidence interval of the mean: t × s ÷ √n (Student 1908).
    pub half_width: Option<f64>,
    /// The least.
    pub min: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
}

type Figure = (&'static str, fn(&Summary) -> Option<f64>);

const FIGURES: [Figure; 18] = [
    ("requests.arrived", |one| Some(one.requests.arrived as f64)),
    ("requests.served", |one| Some(one.requests.served as f64)),
    ("requests.failed", |one| Some(one.requests.failed as f64)),
    ("requests.failed_by_scaling", |one| Some(one.requests.failed_by_scaling as f64)),
    ("requests.latency_ms.mean", |one| one.requests.latency_ms.mean),
    ("requests.latency_ms.p50", |one| one.requests.latency_ms.p50),
    ("requests.latency_ms.p95", |one| one.requests.latency_ms.p95),
    ("requests.latency_ms.p99", |one| one.requests.latency_ms.p99),
    ("requests.wait_ms.mean", |one| one.requests.wait_ms.mean),
    ("jobs.completed", |one| Some(one.jobs.completed as f64)),
    ("jobs.lost", |one| Some(one.jobs.lost as f64)),
    ("jobs.duplicated", |one| Some(one.jobs.duplicated as f64)),
    ("scaling.ups", |one| Some(one.scaling.ups as f64)),
    ("scaling.downs", |one| Some(one.scaling.downs as f64)),
    ("scaling.failed", |one| Some(one.scaling.failed as f64)),
    ("billing.standby_seconds_powered", |one| Some(one.billing.standby_seconds_powered)),
    ("billing.standby", |one| Some(one.billing.standby.as_f64())),
    ("billing.total", |one| Some(one.billing.total.as_f64())),
];

/// Every figure over all `summaries`.
pub fn estimates(summaries: &[Summary]) -> Vec<Estimate> {
    let estimate = |(name, of): Figure| {
        let values: Vec<f64> = summaries.iter().filter_map(of).collect();
        let seeds = values.len();
        let mean = (seeds > 0).then(|| values.iter().sum::<f64>() / seeds as f64);
        Estimate {
            name,
            seeds,
            mean,
            half_width: mean.and_then(|mean| half_width(&values, mean)),
            min: values.iter().copied().reduce(f64::min),
            max: values.iter().copied().reduce(f64::max),
        }
    };
    FIGURES.into_iter().map(estimate).collect()
}

fn half_width(values: &[f64], mean: f64) -> Option<f64> {
    let freedom = values.len().checked_sub(1).filter(|freedom| *freedom > 0)?;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let deviation = (squares / freedom as f64).sqrt();
    Some(student_975(freedom) * deviation / (values.len() as f64).sqrt())
}

/// The 97.5 % quantile of Student's t, from three terms of its expansion around the normal one
/// (Cornish and Fisher 1938); exact to three decimals from eight degrees of freedom on, tabled
/// below.
fn student_975(freedom: usize) -> f64 {
    const FEW: [f64; 7] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365];
    const Z: f64 = 1.959_963_985;
    if let Some(tabled) = FEW.get(freedom - 1) {
        return *tabled;
    }
    let n = freedom as f64;
    let (z3, z5, z7) = (Z * Z * Z, Z * Z * Z * Z * Z, Z * Z * Z * Z * Z * Z * Z);
    Z + (z3 + Z) / (4.0 * n)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * Z) / (96.0 * n * n)
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * Z) / (384.0 * n * n * n)
}

/// Whether every seed did what was asked of it.
pub fn all_passed(summaries: &[Summary]) -> bool {
    summaries.iter().all(passed)
}

/// A table of all figures, and which seed did not hold.
pub fn seeds_text(summaries: &[Summary], style: Style) -> String {
    let failed: Vec<&Summary> = summaries.iter().filter(|summary| !passed(summary)).collect();
    let held = summaries.len() - failed.len();
    let (word, code) = if failed.is_empty() { ("HELD", "1;32") } else { ("FAILED", "1;31") };
    let headline = format!("{word}: {held} of {} seeds held", summaries.len());
    let mut text = style.paint(code, &headline) + "\n\n";
    let line = |text: &mut String, cells: [&str; 5]| {
        let [name, mean, width, min, max] = cells;
        let _ = writeln!(text, "{name:<32} {mean:>15} {width:>12} {min:>14} {max:>14}");
    };
    line(&mut text, ["", "mean", "± 95 %", "least", "greatest"]);
    for Estimate { name, mean, half_width, min, max, .. } in estimates(summaries) {
        line(&mut text, [name, &short(mean), &short(half_width), &short(min), &short(max)]);
    }
    text.push('\n');
    if let Some(fidelity) = summaries.first().and_then(figures::fidelity) {
        let line = format!("{} {}", fidelity.name, fidelity.text);
        let _ = writeln!(text, "{}", cut(&line, 100));
    }
    for summary in failed.iter().take(5) {
        let properties = broken(summary).map(|property| property.name.clone());
        let unmet = unmet(summary).map(|one| format!("{} is {}", one.name, one.actual));
        let what: Vec<String> = properties.chain(unmet).collect();
        let line = format!("seed {}: {}", summary.seed, what.join(", "));
        let _ = writeln!(text, "{}", cut(&line, 100));
        if let Some(command) = &summary.command {
            let _ = writeln!(text, "  {}", printable(command));
        }
    }
    if failed.len() > 5 {
        let _ = writeln!(text, "and {} more, see seeds.csv", failed.len() - 5);
    }
    text
}

/// A number with as many decimals as its size deserves.
fn short(value: Option<f64>) -> String {
    match value {
        None => "none".to_owned(),
        Some(value) if value.fract() == 0.0 && value.abs() < 1e15 && value >= 0.0 => {
            count(value as u64)
        }
        Some(value) if value.abs() >= 1_000.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.3}"),
    }
}

#[derive(Serialize)]
struct Replications<'a> {
    scenario: &'a str,
    seeds: usize,
    held: usize,
    estimates: Vec<Estimate>,
    runs: &'a [Summary],
}

/// The estimates and every summary as JSON.
pub fn seeds_json(summaries: &[Summary]) -> String {
    crate::json::pretty(&Replications {
        scenario: summaries.first().map_or("", |summary| &summary.scenario),
        seeds: summaries.len(),
        held: summaries.iter().filter(|summary| passed(summary)).count(),
        estimates: estimates(summaries),
        runs: summaries,
    })
}

/// One row a seed.
///
/// # Errors
/// If `out` cannot be written.
pub fn seeds_csv(summaries: &[Summary], out: impl std::io::Write) -> Result<(), TableError> {
    let mut table = csv::Writer::from_writer(out);
    let names = FIGURES.iter().map(|(name, _)| *name);
    table.write_record(["seed", "held", "fingerprint"].into_iter().chain(names))?;
    for summary in summaries {
        let fixed =
            [summary.seed.to_string(), passed(summary).to_string(), summary.fingerprint.clone()];
        let cell = |(_, of): &Figure| of(summary).map_or_else(String::new, |one| one.to_string());
        table.write_record(fixed.into_iter().chain(FIGURES.iter().map(cell)))?;
    }
    table.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tidegate_core::record::RunRecord;

    use super::*;
    use crate::fixture;

    #[test]
    fn a_mean_has_its_confidence_interval() {
        let values = [9.0, 10.0, 11.0];
        // s = 1, t = 4.303, so 4.303 ÷ √3.
        assert!((half_width(&values, 10.0).unwrap() - 2.4843).abs() < 1e-4);
        assert_eq!(half_width(&[1.0], 1.0), None);
        for (freedom, exact) in [(8, 2.306), (10, 2.228), (30, 2.042), (120, 1.980)] {
            assert!((student_975(freedom) - exact).abs() < 1e-3, "{freedom}");
        }
    }

    #[test]
    fn seeds_in_flows_say_so() {
        let told = |record: RunRecord| {
            seeds_text(&[record.summary], Style::default()).contains("Fidelity fluid")
        };
        assert!(told(fixture::fluid()) && !told(fixture::record()));
    }

    #[test]
    fn each_seed_is_a_row_and_one_that_fails_is_named() {
        let (good, mut bad) = (fixture::record().summary, fixture::failed().summary);
        bad.seed = 77;
        let all = [good, bad];
        let text = seeds_text(&all, Style::default());
        assert!(text.starts_with("FAILED: 1 of 2 seeds held"), "{text}");
        assert!(text.contains("seed 77: "), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        let mut csv = Vec::new();
        seeds_csv(&all, &mut csv).unwrap();
        assert_eq!(String::from_utf8(csv).unwrap().lines().count(), 3);
        let json: serde_json::Value = serde_json::from_str(&seeds_json(&all)).unwrap();
        assert_eq!((&json["seeds"], &json["held"]), (&2.into(), &1.into()));
    }
}
