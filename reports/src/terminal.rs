//! A run on one screen.

use tidegate_core::record::{
    ExpectationResult, PropertyResult, RunRecord, ScaleEvent, Simulation, Summary,
};

use crate::figures::{self, Line};
use crate::format::{Clock, counted, length_of_seconds, local, rate, zone_of};
use crate::verdict::{Standing, broken, headline, passed, standing_so, unmet};

const COLUMNS: usize = 100;
const NAME: usize = 14;
const EVENTS: usize = 8;
/// Where violations need the room.
const FEWER_EVENTS: usize = 4;
const CALLS: usize = 2;
const FINDINGS: usize = 2;
const BASELINES: usize = 3;

/// How to write to a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether to use ANSI colours.
    pub colour: bool,
}

impl Style {
    pub(crate) fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The run on one screen, the verdict first: at most 40 lines of at most 100 columns. Only the
/// command that gives a failed run again is never broken, so that it can be copied.
pub fn terminal(record: &RunRecord, simulation: Option<&Simulation>, style: Style) -> String {
    let summary = &record.summary;
    let mut screen = Screen { style, text: String::new() };
    screen.headline(summary);
    let origin = figures::origin(summary);
    screen.plain(&format!("{}: {} ({origin})", summary.scenario, record.title));
    screen.plain(&period(record));
    screen.plain("");
    if let Some(line) = figures::fidelity(summary) {
        screen.line(&line);
    }
    if let Some(line) = figures::fleet(summary) {
        screen.line(&line);
    }
    scaling(&mut screen, record);
    screen.plain("");
    requests(&mut screen, record);
    screen.plain("");
    judgements(&mut screen, summary);
    reproduction(&mut screen, summary);
    screen.plain("");
    screen.plain(&last_line(summary, simulation));
    screen.text
}

struct Screen {
    style: Style,
    text: String,
}

impl Screen {
    fn headline(&mut self, summary: &Summary) {
        let code = if passed(summary) { "1;32" } else { "1;31" };
        let line = self.style.paint(code, &cut(&headline(summary), COLUMNS));
        self.text.push_str(&line);
        self.text.push('\n');
    }

    fn plain(&mut self, line: &str) {
        self.text.push_str(&cut(line, COLUMNS));
        self.text.push('\n');
    }

    /// A named line, on as many lines as it needs but at most `most`.
    fn entry(&mut self, name: &str, text: &str, most: usize) {
        let mut label = format!("{:<NAME$} ", cut(name, NAME));
        for line in wrap(text, COLUMNS - NAME - 1, most) {
            let shown = self.style.paint("1", &label);
            self.text.push_str(format!("{shown}{line}").trim_end());
            self.text.push('\n');
            label = " ".repeat(NAME + 1);
        }
    }

    fn line(&mut self, line: &Line) {
        self.entry(&line.name, &line.text, 2);
    }

    fn more(&mut self, all: usize, shown: usize, place: &str) {
        if all > shown {
            self.entry("", &format!("and {} more, see {place}", all - shown), 1);
        }
    }
}

fn period(record: &RunRecord) -> String {
    let zone = zone_of(record);
    let show = |at| local(at, &zone, "%Y-%m-%d %H:%M");
    format!("{} to {}, {}", show(record.start), show(record.end), record.zone)
}

fn scaling(screen: &mut Screen, record: &RunRecord) {
    screen.line(&figures::scaling(record));
    let clock = Clock::new(record);
    let events = &record.summary.scaling.events;
    if events.is_empty() {
        for call in record.closest.iter().take(CALLS) {
            let line = figures::closest(call, &clock);
            screen.entry(&format!("  {}", line.name), &line.text, 3);
        }
        return screen.more(record.closest.len(), CALLS, "journal.jsonl");
    }
    let shown = if passed(&record.summary) { EVENTS } else { FEWER_EVENTS };
    let most = if events.len() <= shown / 2 { 2 } else { 1 };
    for event in events.iter().take(shown) {
        scale_event(screen, event, &clock, most);
    }
    screen.more(events.len(), shown, "journal.jsonl");
}

fn scale_event(screen: &mut Screen, event: &ScaleEvent, clock: &Clock, most: usize) {
    let what = figures::action(event.action);
    let text = format!("{what:<6} {}: {}", event.source, event.reason);
    screen.entry(&clock.show(event.at.at), &text, most);
}

fn requests(screen: &mut Screen, record: &RunRecord) {
    let summary = &record.summary;
    screen.line(&figures::requests(&summary.requests));
    if let Some(line) = figures::failures(record) {
        screen.line(&line);
    }
    for line in &figures::times(&summary.requests) {
        screen.line(line);
    }
    screen.line(&figures::jobs(&summary.jobs));
    screen.line(&figures::bill(&summary.billing));
    for baseline in record.baselines.iter().take(BASELINES) {
        let line = figures::baseline(baseline, &summary.billing);
        screen.entry(&format!("  {}", line.name), &line.text, 1);
    }
}

fn judgements(screen: &mut Screen, summary: &Summary) {
    let number = |so| standing_so(summary, so).count();
    let mut parts = vec![format!("{} hold", number(Standing::Holds))];
    for so in [Standing::Violated, Standing::Expected, Standing::Silent] {
        if number(so) > 0 {
            let names: Vec<_> = standing_so(summary, so).map(|p| p.name.as_str()).collect();
            parts.push(format!("{} {} ({})", number(so), so.words(), names.join(", ")));
        }
    }
    screen.entry("Properties", &parts.join("; "), 2);
    for property in broken(summary).take(FINDINGS) {
        violated(screen, property);
    }
    screen.more(broken(summary).count(), FINDINGS, "summary.json");
    let met = summary.expectations.iter().filter(|expectation| expectation.holds).count();
    let all = counted(summary.expectations.len(), "expectation", "expectations");
    screen.entry("Expectations", &format!("{met} of {all} met"), 1);
    for expectation in unmet(summary).take(FINDINGS) {
        screen.entry("  not met", &missed(expectation), 1);
    }
    screen.more(unmet(summary).count(), FINDINGS, "summary.json");
}

/// The first violation of a property, and the decision that was in force.
fn violated(screen: &mut Screen, property: &PropertyResult) {
    let Some(first) = property.violations.first() else {
        return screen.entry("  violated", &property.name, 1);
    };
    let what = format!("{}: {} {}", property.name, first.at, first.what);
    screen.entry("  violated", &what, 2);
    screen.entry("    under", first.in_force(), 1);
}

/// The command that gives a failed run again, whole.
fn reproduction(screen: &mut Screen, summary: &Summary) {
    if let Some(command) = summary.command.as_deref().filter(|_| !passed(summary)) {
        let label = screen.style.paint("1", &format!("{:<NAME$} ", "Reproduce"));
        screen.text.push_str(&label);
        screen.text.push_str(&printable(command));
        screen.text.push('\n');
    }
}

fn missed(expectation: &ExpectationResult) -> String {
    format!("{} is {}, expected {}", expectation.name, expectation.actual, expectation.expected)
}

fn last_line(summary: &Summary, simulation: Option<&Simulation>) -> String {
    let fingerprint = summary.fingerprint.chars().take(16).collect::<String>();
    let Some(simulation) = simulation else { return format!("Fingerprint {fingerprint}") };
    format!(
        "{} simulated in {}, {} events/s, {} requests/s, fingerprint {fingerprint}",
        length_of_seconds(simulation.simulated_seconds),
        length_of_seconds(simulation.wall_seconds),
        rate(simulation.events_per_second),
        rate(simulation.requests_per_second),
    )
}

/// `text` without control characters.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// `text` without control characters, at most `columns` long.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    let text = printable(text);
    if text.chars().count() <= columns {
        return text;
    }
    text.chars().take(columns - 1).chain(['…']).collect()
}

/// `text` broken between words into at most `most` lines; what does not fit is cut.
fn wrap(text: &str, columns: usize, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let full = lines.len() == most;
        let Some(line) = lines.last_mut() else { break };
        let fits = line.chars().count() + 1 + word.chars().count() <= columns;
        if line.is_empty() {
            line.push_str(word);
        } else if fits || full {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.iter().map(|line| cut(line, columns)).collect()
}

#[cfg(test)]
mod tests;
