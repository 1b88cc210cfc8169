//! The groups of a fleet, drawn or read.

use std::path::Path;

use tidegate_core::Span;

use super::{group, hardware, weighted};
use crate::chance::{Draws, Uniforms};
use crate::model::{Dist, Fleet, Group, Load, Model, RATE_MAX, Size};
use crate::scenario::file::{FleetFile, ScaleFile, ScenarioFile};
use crate::scenario::table::Table;
use crate::scenario::{Fault, keys};

/// The most groups that a fleet may have.
const MOST: usize = 100_000;
/// The greatest factor on a group's load.
const SCALE_MAX: f64 = 1e6;

/// The fleet of `file`, if it is one; `model` is that of a single group.
pub(super) fn fleet(
    file: &ScenarioFile,
    model: &Model,
    directory: &Path,
) -> Result<Option<Fleet>, Fault> {
    let Some(given) = &file.fleet else { return Ok(None) };
    let mut sizes = vec![size(file, &file.group.primary, model.group.standbys)?];
    let groups = match (given.groups, &given.file) {
        (Some(count), None) => drawn(given, count, model)?,
        (None, Some(name)) => {
            if given.scale.is_some() || given.shift.is_some() {
                let message = "the groups of a file have their own `scale` and `shift`";
                return Err(Fault::at("fleet", message).hint("take these keys out"));
            }
            let mut reader = Reader { file, model, sizes: &mut sizes };
            reader
                .read(&directory.join(name))
                .map_err(|fault| Fault { path: keys("fleet.file"), ..fault })?
        }
        _ => {
            let hint = "write `groups = 100`, or `file = \"groups.csv\"`";
            return Err(Fault::at("fleet", "needs either `groups` or `file`").hint(hint));
        }
    };
    refuse_single(model)?;
    check_rates(model, &groups)?;
    Ok(Some(Fleet { groups, sizes }))
}

/// What people do to one group cannot be meant for all of a fleet.
fn refuse_single(model: &Model) -> Result<(), Fault> {
    let key = if model.resizes.is_empty() { "operator" } else { "resize" };
    if model.resizes.is_empty() && model.operator.is_empty() {
        return Ok(());
    }
    Err(Fault::at(key, format!("a fleet has no `{key}`: it is about one group")))
}

fn check_rates(model: &Model, groups: &[Group]) -> Result<(), Fault> {
    let peak = |load: &Load| match load {
        Load::Open(open) => {
            open.pieces.iter().map(|one| one.rate_from.max(one.rate_to)).fold(0.0, f64::max)
        }
        Load::Exam(exam) => f64::from(exam.users),
    };
    let peak = model.loads.iter().map(peak).fold(0.0, f64::max);
    match groups.iter().find(|group| group.scale * peak > RATE_MAX) {
        None => Ok(()),
        Some(group) => {
            let message =
                format!("{} would get more than {RATE_MAX} requests a second", group.name);
            Err(Fault::at("fleet", message))
        }
    }
}

fn drawn(given: &FleetFile, count: u32, model: &Model) -> Result<Vec<Group>, Fault> {
    if count == 0 || count as usize > MOST {
        return Err(Fault::at("fleet.groups", format!("must be 1 to {MOST}")));
    }
    let scale = given.scale.unwrap_or(ScaleFile { mean: 1.0, cv: 0.0 });
    if !(1e-6..=SCALE_MAX).contains(&scale.mean) || !(0.0..=100.0).contains(&scale.cv) {
        let message =
            format!("`mean` lies between 0.000001 and {SCALE_MAX}, `cv` between 0 and 100");
        return Err(Fault::at("fleet.scale", message));
    }
    let most = given.shift.unwrap_or(Span::ZERO);
    if most > model.duration {
        return Err(Fault::at("fleet.shift", "must not exceed the run's length"));
    }
    let one = Span::from_nanos(1_000_000_000);
    let spread = if scale.cv > 0.0 {
        Dist::Lognormal { mean: one, cv: scale.cv }
    } else {
        Dist::Constant(one)
    };
    let mut scales = Draws::new(&spread, model.seed, "fleet/scale");
    let mut shifts = Uniforms::new(model.seed, "fleet/shift");
    let digits = count.to_string().len();
    let group = |number: u32| Group {
        name: format!("group-{number:0digits$}"),
        scale: (scales.draw() as f64 / 1e9 * scale.mean).min(SCALE_MAX),
        shift: Span::from_nanos(((1.0 - shifts.draw()) * most.as_nanos() as f64) as i64),
        size: 0,
    };
    Ok((1..=count).map(group).collect())
}

/// The servers of a group with this plan and so many standbys.
fn size(file: &ScenarioFile, name: &str, standbys: u16) -> Result<Size, Fault> {
    let mut file = file.clone();
    if file.group.standby.as_ref().is_some_and(|standby| *standby == file.group.primary) {
        file.group.standby = None;
    }
    name.clone_into(&mut file.group.primary);
    file.group.standbys = Some(standbys);
    let servers = hardware::servers(&file, standbys)?;
    let upgrade = hardware::upgrade(&file, &servers)?;
    Ok(Size { plan: name.to_owned(), group: weighted(group(&file)?, &servers), servers, upgrade })
}

/// Reads the groups of a CSV.
struct Reader<'a> {
    file: &'a ScenarioFile,
    model: &'a Model,
    sizes: &'a mut Vec<Size>,
}

impl Reader<'_> {
    fn read(&mut self, path: &Path) -> Result<Vec<Group>, Fault> {
        let table = Table::read(path, "list of groups")?;
        let mut reader = table.reader();
        let headers = reader.headers().map_err(|why| table.broken(&why))?.clone();
        for header in &headers {
            if !["name", "scale", "shift", "plan", "standbys"].contains(&header) {
                let hint = "the columns are name, scale, shift, plan and standbys";
                return Err(table.fault(format!("there is no column `{header}`")).hint(hint));
            }
        }
        let mut groups = Vec::new();
        for row in reader.records() {
            let row = row.map_err(|why| table.broken(&why))?;
            let cell = |name: &str| {
                let column = headers.iter().position(|header| header == name)?;
                row.get(column).filter(|cell| !cell.is_empty()).map(|cell| (column, cell))
            };
            let group = self
                .group(groups.len() + 1, cell)
                .map_err(|(column, message)| table.fault_in(&row, Some(column), message))?;
            groups.push(group);
            if groups.len() > MOST {
                return Err(table.fault_in(
                    &row,
                    None,
                    format!("a fleet has at most {MOST} groups"),
                ));
            }
        }
        if groups.is_empty() {
            return Err(table.fault("the list has no rows"));
        }
        Ok(groups)
    }

    fn group<'c>(
        &mut self,
        number: usize,
        cell: impl Fn(&str) -> Option<(usize, &'c str)>,
    ) -> Result<Group, (usize, String)> {
        let scale = match cell("scale") {
            None => 1.0,
            Some((column, text)) => {
                let scale =
                    text.parse::<f64>().ok().filter(|scale| (0.0..=SCALE_MAX).contains(scale));
                scale.ok_or_else(|| {
                    (column, format!("`{text}` is not a factor, 0 to {SCALE_MAX}"))
                })?
            }
        };
        let shift = match cell("shift") {
            None => Span::ZERO,
            Some((column, text)) => {
                let shift = text.parse::<Span>().ok().filter(|shift| *shift <= self.model.duration);
                shift.ok_or_else(|| {
                    (column, format!("`{text}` is not a time within the run, such as 90m"))
                })?
            }
        };
        let standbys = match cell("standbys") {
            None => None,
            Some((column, text)) => {
                let number = text.parse::<u16>().ok().filter(|number| *number <= 64);
                Some(number.ok_or_else(|| (column, format!("`{text}` is not a number, 0 to 64")))?)
            }
        };
        let plan = cell("plan");
        let size = self.size(plan.map(|(_, name)| name), standbys).map_err(|fault| {
            let column = plan.or_else(|| cell("standbys")).map_or(0, |(column, _)| column);
            (column, fault.message)
        })?;
        let name =
            cell("name").map_or_else(|| format!("group-{number}"), |(_, name)| name.to_owned());
        Ok(Group { name, scale, shift, size })
    }

    fn size(&mut self, plan: Option<&str>, standbys: Option<u16>) -> Result<usize, Fault> {
        let name = plan.unwrap_or(&self.file.group.primary);
        let standbys = standbys.unwrap_or(self.model.group.standbys);
        let same = |size: &Size| size.plan == name && size.group.standbys == standbys;
        if let Some(known) = self.sizes.iter().position(same) {
            return Ok(known);
        }
        self.sizes.push(size(self.file, name, standbys)?);
        Ok(self.sizes.len() - 1)
    }
}
