//! The table form of a random duration.

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_core::Span;

use super::given::{Given, Quantiles};
use super::{LONGEST, Length};
use crate::chance::pareto_least;
use crate::chance::quantiles::{
    erlang_quantile, erlang_through, exponential_quantile, hyper_exponential_quantile,
    hyper_exponential_through, lognormal_through, pareto_least_through, pareto_through,
};
use crate::model::Dist;

/// The table form of a random duration.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LengthTable {
    /// Exponential with this mean or quantile.
    exponential: Option<Given>,
    /// Lognormal with this mean and `cv`.
    mean: Option<Span>,
    /// Lognormal, by two of its quantiles: half of all lies below.
    p50: Option<Span>,
    /// 90 % lie below.
    p90: Option<Span>,
    /// 95 % lie below.
    p95: Option<Span>,
    /// 99 % lie below.
    p99: Option<Span>,
    /// The sum of `stages` exponential stages, with this mean or quantile; or by two quantiles.
    erlang: Option<Given>,
    /// Stages of `erlang`, 1 to 100.
    stages: Option<u32>,
    /// One of two exponential lengths, with this mean or quantile and a `cv` above 1; or by two
    /// quantiles.
    hyperexponential: Option<Given>,
    /// Coefficient of variation: standard deviation ÷ mean.
    cv: Option<f64>,
    /// Pareto of at most `max` with this mean or quantile and exponent `alpha`; or by two
    /// quantiles.
    pareto: Option<Given>,
    /// Exponent of the tail of `pareto`, 0.1 to 10.
    alpha: Option<f64>,
    /// Upper bound of `pareto`.
    max: Option<Span>,
    /// One of those in a CSV file, whose column names the unit: `seconds`, `ms` or `us`.
    empirical: Option<String>,
}

pub(super) const FORMS: &str = "a duration is \"20ms\", { exponential = \"20ms\" }, \
    { mean = \"20ms\", cv = 0.8 }, { p50 = \"20ms\", p95 = \"90ms\" }, \
    { erlang = \"20ms\", stages = 4 }, { hyperexponential = \"20ms\", cv = 2.0 }, \
    { pareto = \"20ms\", alpha = 1.5, max = \"9s\" } or { empirical = \"file.csv\" }; \
    a mean may be given by a quantile, as { exponential = { p95 = \"60ms\" } }";

impl LengthTable {
    /// The keys that are given, in the order of the table.
    fn given(&self) -> Vec<&'static str> {
        let keys = [
            ("exponential", self.exponential.is_some()),
            ("mean", self.mean.is_some()),
            ("p50", self.p50.is_some()),
            ("p90", self.p90.is_some()),
            ("p95", self.p95.is_some()),
            ("p99", self.p99.is_some()),
            ("erlang", self.erlang.is_some()),
            ("stages", self.stages.is_some()),
            ("hyperexponential", self.hyperexponential.is_some()),
            ("cv", self.cv.is_some()),
            ("pareto", self.pareto.is_some()),
            ("alpha", self.alpha.is_some()),
            ("max", self.max.is_some()),
            ("empirical", self.empirical.is_some()),
        ];
        keys.into_iter().filter_map(|(key, given)| given.then_some(key)).collect()
    }

    pub fn length(&self) -> Result<Length, String> {
        if let (["empirical"], Some(file)) = (self.given().as_slice(), &self.empirical) {
            return Ok(Length::File(file.clone()));
        }
        Ok(Length::Known(self.dist()?))
    }

    fn dist(&self) -> Result<Dist, String> {
        let Self { exponential, erlang, hyperexponential, pareto, .. } = self;
        match (self.given().as_slice(), exponential.or(*erlang).or(*hyperexponential).or(*pareto)) {
            (["exponential"], Some(given)) => {
                Ok(Dist::Exponential(given.mean(exponential_quantile)?))
            }
            (["mean", "cv"], _) => self.lognormal(),
            (["erlang"], Some(given)) => erlang_through(given.two()?),
            (["erlang", "stages"], Some(given)) => self.erlang(given),
            (["hyperexponential"], Some(given)) => hyper_exponential_through(given.two()?),
            (["hyperexponential", "cv"], Some(given)) => self.hyper_exponential(given),
            (["pareto", "max"], Some(given)) => {
                pareto_through(given.two()?, self.max.unwrap_or_default())
            }
            (["pareto", "alpha", "max"], Some(given)) => self.pareto(given),
            _ => self.by_quantiles(),
        }
    }

    fn lognormal(&self) -> Result<Dist, String> {
        let (mean, cv) = (self.mean.unwrap_or_default(), self.cv.unwrap_or_default());
        if mean > LONGEST {
            return Err(format!("{mean} is longer than 366 days"));
        }
        within("cv", cv, 0.0, 100.0)?;
        // A variation too small to show counts as none.
        Ok(if cv < 0.001 { Dist::Constant(mean) } else { Dist::Lognormal { mean, cv } })
    }

    fn erlang(&self, given: Given) -> Result<Dist, String> {
        let stages = self.stages.unwrap_or_default();
        within("stages", f64::from(stages), 1.0, 100.0)?;
        let mean = given.mean(|share| erlang_quantile(stages, share))?;
        Ok(Dist::Erlang { mean, stages })
    }

    fn hyper_exponential(&self, given: Given) -> Result<Dist, String> {
        let cv = self.cv.unwrap_or_default();
        within("cv", cv, 1.001, 100.0)?;
        let mean = given.mean(|share| hyper_exponential_quantile(cv, share))?;
        Ok(Dist::HyperExponential { mean, cv })
    }

    fn pareto(&self, given: Given) -> Result<Dist, String> {
        let (alpha, most) = (self.alpha.unwrap_or_default(), self.max.unwrap_or_default());
        within("alpha", alpha, 0.1, 10.0)?;
        let (least, what) = match given {
            Given::Mean(mean) => (pareto_least(mean, most, alpha), format!("a mean of {mean}")),
            Given::One(one) => (pareto_least_through(one, most, alpha), format!("a {one}")),
            Given::Two(..) => return Err(FORMS.to_owned()),
        };
        let least = least.ok_or_else(|| {
            format!("no Pareto distribution up to {most} with alpha {alpha} has {what}")
        })?;
        Ok(Dist::Pareto { least, most, alpha })
    }

    fn by_quantiles(&self) -> Result<Dist, String> {
        let Self { p50, p90, p95, p99, .. } = *self;
        let given = Quantiles { p50, p90, p95, p99 }.given()?;
        match given[..] {
            [low, high] if self.given().len() == 2 => Ok(lognormal_through(low, high)),
            _ => Err(FORMS.to_owned()),
        }
    }
}

fn within(key: &str, value: f64, least: f64, most: f64) -> Result<(), String> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!("`{key}` lies between {least} and {most}, and {value} does not"))
    }
}
