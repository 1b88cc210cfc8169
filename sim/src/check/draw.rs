//! A case drawn from a base: load, topology, policy, people and faults, as edits of the file.

use tidegate_core::policy::WallTime;
use tidegate_core::{Span, Timestamp};

use super::bounds::Bounds;
use super::case::{Base, Case};
use super::chance::Chance;
use super::faults::draw_faults;
use crate::model::Model;
use crate::scenario::{Edits, expected_requests};

/// The case of run `number`.
pub fn draw(base: &Base, bounds: &Bounds, seed: u64, number: u64) -> Case {
    let mut chance = Chance::new(seed, &format!("check/{}/{number}", base.name));
    let mut edits = Edits::new();
    leave_out(&mut edits);
    edits.set("title", format!("\"run {number} of a swarm on {}\"", base.name));
    edits.set("seed", chance.number(1, 999_999).to_string());
    let model = &base.model;
    let standbys = chance.number(bounds.standbys[0].into(), bounds.standbys[1].into()) as u16;
    edits.set("group.standbys", standbys.max(needed(model)).to_string());
    draw_load(model, bounds, &mut chance, &mut edits);
    if bounds.topology {
        draw_topology(&mut chance, &mut edits);
        // A stream of its own, so that what follows is drawn as without it.
        let mut chance = Chance::new(seed, &format!("check/{}/{number}/files", base.name));
        draw_files(model, &mut chance, &mut edits);
    }
    if bounds.policy {
        draw_policy(model, &mut chance, &mut edits);
    }
    if bounds.policy && bounds.topology {
        // No shorter than what the machines drawn above may take.
        edits.set("policy.steps.start.deadline", quoted(minutes(&mut chance, 5, 9)));
        edits.set("policy.steps.warm.deadline", quoted(minutes(&mut chance, 5, 9)));
    }
    draw_operator(model, bounds, &mut chance, &mut edits);
    let shape = (standbys.max(needed(model)), model.duration);
    draw_faults(model.faults.len(), shape, bounds, &mut chance, &mut edits);
    let text = edits.apply(&base.text).unwrap_or_else(|why| format!("# {why}\n{}", base.text));
    Case {
        name: format!("{}-{number}", base.name),
        file: base.file.clone(),
        text,
        directory: base.directory.clone(),
    }
}

/// Takes out what a check does not judge: what the scenario expects of its own load, the other
/// groups of a fleet, plans changed by hand, which no scaling survives, and flows.
pub(super) fn leave_out(edits: &mut Edits) {
    for key in ["expect", "fleet", "resize"] {
        edits.remove(key);
    }
    edits.set("fidelity", "\"request\"");
}

/// Standbys without which the base's policy would be refused.
fn needed(model: &Model) -> u16 {
    let policy = &model.group.policy;
    let scheduled = policy.schedule.iter().map(|schedule| schedule.servers.saturating_sub(1)).max();
    scheduled.unwrap_or(0).max(policy.min_standbys).max(policy.max_standbys.unwrap_or(0))
}

/// A factor on the load, and so many requests drawn together that a run is short.
fn draw_load(model: &Model, bounds: &Bounds, chance: &mut Chance, edits: &mut Edits) {
    let factor = chance.factor(bounds.load[0], bounds.load[1]);
    for (index, scale) in model.scales.iter().enumerate() {
        edits.set(&format!("load.{index}.scale"), format!("{:.3}", scale * factor));
    }
    let requests = expected_requests(model) * factor * f64::from(model.grain);
    let grain = (requests / bounds.requests as f64).ceil().clamp(1.0, 10_000.0);
    edits.set("grain", format!("{grain}"));
}

fn draw_topology(chance: &mut Chance, edits: &mut Edits) {
    let around = |chance: &mut Chance, least: i64, most: i64| {
        let mean = chance.span(Span::from_secs(least), Span::from_secs(most));
        format!("{{ mean = \"{mean}\", cv = 0.3 }}")
    };
    edits.set("server.boot", around(chance, 10, 90));
    edits.set("server.services", around(chance, 5, 90));
    edits.set("server.services_stop", around(chance, 1, 20));
    edits.set("server.stop", around(chance, 5, 60));
    edits.set("proxy.balance", chance.one(&["\"round-robin\"", "\"least-connections\""]));
    edits.set("proxy.retries", chance.number(0, 2).to_string());
    edits.set("proxy.change", chance.one(&["\"100ms\"", "\"1s\"", "\"5s\""]));
    if chance.happens(0.5) {
        edits.set("proxy.health.every", "\"2s\"");
    }
    edits.set("monitoring.scrape", chance.one(&["\"10s\"", "\"15s\"", "\"30s\""]));
    edits.set("monitoring.range", chance.one(&["\"90s\"", "\"2m\"", "\"4m\""]));
    edits.set("monitoring.evaluate", chance.one(&["\"10s\"", "\"15s\"", "\"30s\""]));
    edits.set("monitoring.from", chance.one(&["\"boot\"", "\"serving\""]));
    edits.set("monitoring.health", chance.one(&["\"2s\"", "\"5s\"", "\"10s\""]));
}

/// A further kind of request, which writes a file of its site and reads it again.
fn draw_files(model: &Model, chance: &mut Chance, edits: &mut Edits) {
    if !chance.happens(0.3) {
        return;
    }
    let path = format!("request.{}", model.requests.len());
    let size = chance.one(&["16KiB", "256KiB", "2MiB"]);
    edits.set(&format!("{path}.name"), "\"attachment\"");
    edits.set(&format!("{path}.weight"), chance.number(1, 3).to_string());
    edits.set(
        &format!("{path}.phases"),
        format!(
            "[{{ cpu = \"20ms\" }}, {{ nfs = {{ write = \"{size}\" }} }}, \
             {{ nfs = {{ read = \"{size}\" }} }}]"
        ),
    );
    if chance.happens(0.5) {
        edits.set("nfs.host", "\"primary\"");
    }
}

fn draw_policy(model: &Model, chance: &mut Chance, edits: &mut Edits) {
    let policy = &model.group.policy;
    for index in 0..policy.up.len() {
        edits.set(&format!("policy.up.{index}.above"), format!("\"{}%\"", chance.number(55, 90)));
        edits.set(&format!("policy.up.{index}.for"), quoted(minutes(chance, 1, 10)));
    }
    for index in 0..policy.down.len() {
        let below = format!("\"{}%\"", chance.number(10, 45));
        edits.set(&format!("policy.down.{index}.below"), below);
        edits.set(&format!("policy.down.{index}.for"), quoted(minutes(chance, 1, 15)));
    }
    edits.set("policy.cool_down.up", quoted(minutes(chance, 1, 10)));
    edits.set("policy.cool_down.down", quoted(minutes(chance, 1, 20)));
    edits.set("policy.stabilization.down", quoted(minutes(chance, 1, 15)));
    edits.set("policy.evidence.healthy_checks", chance.number(1, 5).to_string());
    edits.set("policy.evidence.idle_checks", chance.number(1, 5).to_string());
    edits.set("policy.steps.drain.deadline", quoted(minutes(chance, 1, 10)));
    edits.set("policy.steps.drain_overdue", chance.one(&["\"wait\"", "\"resume\""]));
    edits.set("policy.steps.slow_start", chance.one(&["\"0s\"", "\"1m\""]));
    if chance.happens(0.3) {
        draw_schedule(model, policy.schedule.len(), chance, edits);
    }
}

/// A window of its own, in which all that can serve two or more do.
fn draw_schedule(model: &Model, index: usize, chance: &mut Chance, edits: &mut Edits) {
    let from = chance.moment(model.duration, 0.6);
    let length = chance.span(Span::from_mins(5), Span::from_hours(2));
    let (from, until) = (model.start + from, model.start + from + length);
    let path = format!("policy.schedule.{index}");
    edits.set(&format!("{path}.servers"), "2");
    edits.set(&format!("{path}.from"), wall(model, from));
    edits.set(&format!("{path}.until"), wall(model, until));
}

fn draw_operator(model: &Model, bounds: &Bounds, chance: &mut Chance, edits: &mut Edits) {
    let first = model.operator.len();
    for index in first..first + chance.number(0, bounds.operator.into()) as usize {
        let at = model.start + chance.moment(model.duration, 0.7);
        let path = format!("operator.{index}");
        edits.set(&format!("{path}.at"), wall(model, at));
        let action = chance.one(&["scale-up", "scale-down", "pause", "resume"]);
        edits.set(&format!("{path}.action"), format!("\"{action}\""));
        if action == "pause" {
            let length = chance.span(Span::from_mins(1), Span::from_mins(30));
            edits.set(&format!("{path}.until"), wall(model, at + length));
        } else if action != "resume" {
            let hold = chance.span(Span::from_mins(5), Span::from_hours(1));
            edits.set(&format!("{path}.hold"), quoted(hold));
        }
    }
}

fn minutes(chance: &mut Chance, least: i64, most: i64) -> Span {
    chance.span(Span::from_mins(least), Span::from_mins(most))
}

pub(super) fn quoted(span: Span) -> String {
    format!("\"{span}\"")
}

/// A moment as the file writes it, to the second.
fn wall(model: &Model, at: Timestamp) -> String {
    let zone = jiff::tz::TimeZone::get(&model.zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let civil = zone.to_datetime(at.to_jiff());
    let civil = civil.with().subsec_nanosecond(0).build().unwrap_or(civil);
    format!("\"{}\"", WallTime { civil, zone: model.zone.clone() })
}
