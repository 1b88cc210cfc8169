//! What people do during the run, and what is expected of it.

use std::ops::Range;

use tidegate_core::billing::Pricing;
use tidegate_core::policy::WallTime;
use tidegate_core::{OperatorRequest, Timestamp};

use super::hardware::{hardware, plan};
use super::moment;
use crate::model::{Comparison, Expectation, Resize};
use crate::scenario::file::{ActionFile, FaultFile, OperatorFile, ResizeFile, ScenarioFile};
use crate::scenario::{Fault, Key};

/// Within which a person can act.
type Run = Range<Timestamp>;

fn moment_of(wall: &WallTime, path: &str, run: &Run) -> Result<Timestamp, Fault> {
    moment(wall)
        .filter(|at| run.contains(at))
        .ok_or_else(|| Fault::at(path, format!("{wall} lies outside the run")))
}

pub(super) fn resizes(file: &ScenarioFile, run: &Run) -> Result<Vec<Resize>, Fault> {
    let resize = |(index, resize): (usize, &ResizeFile)| {
        let path = format!("resize.{index}.plan");
        let price = plan(file, &resize.plan, &path)?.price;
        let at = moment_of(&resize.at, &format!("resize.{index}.at"), run)?;
        Ok(Resize {
            at,
            to: hardware(file, &resize.plan, Pricing::always_on(price))?,
            downtime: resize.downtime,
        })
    };
    let mut resizes: Vec<Resize> =
        file.resize.iter().enumerate().map(resize).collect::<Result<_, _>>()?;
    resizes.sort_by_key(|resize| resize.at);
    Ok(resizes)
}

pub(super) fn operator(
    file: &ScenarioFile,
    run: &Run,
) -> Result<Vec<(Timestamp, OperatorRequest)>, Fault> {
    let request = |(index, given): (usize, &OperatorFile)| {
        let missing =
            |field: &str| Fault::at(&format!("operator.{index}"), format!("needs `{field}`"));
        let at = moment_of(&given.at, &format!("operator.{index}.at"), run)?;
        let (by, hold) = (given.by.unwrap_or(1), given.hold);
        let request = match given.action {
            ActionFile::ScaleUp => OperatorRequest::ScaleUp { by, hold },
            ActionFile::ScaleDown => OperatorRequest::ScaleDown { by, hold },
            ActionFile::Resume => OperatorRequest::Resume,
            ActionFile::Pause => {
                let until = given.until.as_ref().and_then(moment);
                OperatorRequest::PauseUntil(until.ok_or_else(|| missing("until"))?)
            }
        };
        Ok((at, request))
    };
    file.operator.iter().enumerate().map(request).collect()
}

/// What people would do, and what would go wrong, after the end of a `run` that the command line
/// has shortened.
pub(super) fn unseen(file: &ScenarioFile, run: &Range<Timestamp>) -> Vec<String> {
    let of = |table: &'static str, index: usize, at: &WallTime| {
        let late = moment(at).is_some_and(|moment| moment >= run.end);
        late.then(|| format!("`{table}.{index}` at {at} comes after the end of the run"))
    };
    let unseen_fault = |(index, fault): (usize, &FaultFile)| {
        let at = fault.at.filter(|at| *at >= run.end.since(run.start))?;
        Some(format!("`fault.{index}` at {at} comes after the end of the run"))
    };
    let operator = file.operator.iter().enumerate();
    let resize = file.resize.iter().enumerate();
    operator
        .filter_map(|(index, act)| of("operator", index, &act.at))
        .chain(resize.filter_map(|(index, act)| of("resize", index, &act.at)))
        .chain(file.fault.iter().enumerate().filter_map(unseen_fault))
        .collect()
}

pub(super) fn expectations(file: &ScenarioFile) -> Result<Vec<Expectation>, Fault> {
    let expectation = |(path, text): (&String, &String)| {
        let refused = || Fault {
            path: vec![Key::Name("expect".to_owned()), Key::Name(path.clone())],
            message: format!("`{text}` is not a comparison"),
            hint: Some("write an operator and a value, such as \"== 0\" or \"<= 800\"".to_owned()),
            elsewhere: None,
        };
        let (symbol, value) = text.trim().split_once(' ').ok_or_else(refused)?;
        let comparison = match symbol {
            "==" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::AtMost,
            ">" => Comparison::Greater,
            ">=" => Comparison::AtLeast,
            _ => return Err(refused()),
        };
        let value = value.trim().to_owned();
        Ok(Expectation { path: path.clone(), comparison, value })
    };
    file.expect.iter().map(expectation).collect()
}
