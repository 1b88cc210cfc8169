//! What a scenario expects of its summary, judged.

use serde_json::Value;
use tidegate_core::record::{ExpectationResult, Summary};

use crate::model::{Comparison, Expectation};

impl Comparison {
    /// As it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }

    fn holds<T: PartialOrd + ?Sized>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

/// Judges each expectation.
pub(crate) fn judge(expectations: &[Expectation], summary: &Summary) -> Vec<ExpectationResult> {
    judge_json(expectations, &serde_json::to_value(summary).unwrap_or(Value::Null))
}

/// Judges each expectation by a summary in the form of `summary.json`.
pub fn judge_json(expectations: &[Expectation], summary: &Value) -> Vec<ExpectationResult> {
    expectations.iter().map(|expectation| judge_one(expectation, summary)).collect()
}

fn judge_one(expectation: &Expectation, summary: &Value) -> ExpectationResult {
    let found = look_up(summary, &expectation.path);
    let actual = match found {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    let comparison = expectation.comparison;
    let numbers = actual.parse::<f64>().ok().zip(expectation.value.parse::<f64>().ok());
    let holds = match numbers {
        Some((left, right)) => comparison.holds(&left, &right),
        None => {
            comparison.holds(actual.as_str(), expectation.value.as_str()) && actual != "nothing"
        }
    };
    let expected = format!("{} {}", comparison.symbol(), expectation.value);
    ExpectationResult { name: expectation.path.clone(), holds, expected, actual }
}

/// Follows a dotted path; an element of an array is found by its `name`.
fn look_up<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| match value.as_array() {
        Some(items) => items.iter().find(|item| item.get("name").is_some_and(|name| name == key)),
        None => value.get(key),
    })
}
