//! Defects, hazards, and a policy from a file of its own.

use std::path::Path;

use tidegate_core::Defect;
use tidegate_core::policy::Policy;

use super::policy_path;
use crate::model::Hazard;
use crate::scenario::file::{PolicyFile, ScenarioFile};
use crate::scenario::{Fault, Place, did_you_mean, span_of};

/// The scenario with the policy and the defects of the file that it names, if it names one.
pub(super) fn with_policy(
    file: &ScenarioFile,
    directory: &Path,
) -> Result<Option<ScenarioFile>, Fault> {
    let Some(name) = &file.policy_file else { return Ok(None) };
    if file.policy != Policy::default() {
        return Err(Fault::at("policy_file", "a scenario has a policy of its own or takes one in")
            .hint("take out `policy_file` or `[policy]`"));
    }
    let path = directory.join(name);
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(&path)
        .map_err(|why| Fault::at("policy_file", format!("{shown} cannot be read: {why}")))?;
    let elsewhere = |message: String, span| Fault {
        elsewhere: Some(Box::new(Place { file: shown.clone(), text: text.clone(), span })),
        ..Fault::at("policy_file", message)
    };
    let taken: PolicyFile =
        toml::from_str(&text).map_err(|why| elsewhere(why.message().to_owned(), why.span()))?;
    taken.policy.check(file.group.standbys.unwrap_or(1)).map_err(|why| {
        elsewhere(why.problem.to_string(), span_of(&text, &policy_path(why.place)))
    })?;
    let defects = file.defects.iter().chain(taken.defects.iter()).collect();
    Ok(Some(ScenarioFile { policy: taken.policy, defects, ..file.clone() }))
}

/// The hazard that the scenario shows, if it shows one.
pub(super) fn hazard(file: &ScenarioFile) -> Result<Option<Hazard>, Fault> {
    let Some(given) = &file.hazard else { return Ok(None) };
    if given.defects.is_empty() {
        return Err(Fault::at("hazard.defects", "a hazard has at least one defect"));
    }
    let mut properties = Defect::ALL.into_iter().map(Defect::owner);
    let mut known = |name: &String| {
        let violates = properties.clone().find(|one| *one == name);
        violates.ok_or_else(|| {
            let message = format!("there is no property `{name}`");
            let hint = did_you_mean(name, &mut properties);
            Fault { hint, ..Fault::at("hazard.violates", message) }
        })
    };
    let violates = given.violates.as_ref().map(&mut known).transpose()?;
    Ok(Some(Hazard { defects: given.defects, violates }))
}
