//! A run as one page that needs nothing else: no script, no font, no other file.

use std::io::Write;

use askama::Template;
use tidegate_core::Timestamp;
use tidegate_core::record::{
    Baseline, ExpectationResult, FaultSpan, PropertyResult, RunRecord, ScaleEvent,
};

use crate::figures::{self, Line};
use crate::format::{Clock, moment};
use crate::verdict::{headline, passed, standing};

/// Why the page could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the page could not be made")]
pub struct HtmlError(#[from] std::io::Error);

/// Writes the page, `index.html`, with `plots` as [`crate::plots`] draws them.
pub fn html(
    record: &RunRecord,
    plots: &[(&'static str, String)],
    out: &mut dyn Write,
) -> Result<(), HtmlError> {
    Page::new(record, plots).write_into(out)?;
    Ok(out.flush()?)
}

#[derive(Template)]
#[template(path = "index.html")]
struct Page<'a> {
    record: &'a RunRecord,
    plots: &'a [(&'static str, String)],
    clock: Clock,
    passed: bool,
    headline: String,
    /// Its seed, or where it took place.
    origin: String,
    lines: Vec<Line>,
}

impl<'a> Page<'a> {
    fn new(record: &'a RunRecord, plots: &'a [(&'static str, String)]) -> Self {
        let summary = &record.summary;
        let mut lines: Vec<Line> = figures::fidelity(summary).into_iter().collect();
        lines.extend(figures::fleet(summary));
        lines.push(figures::requests(&summary.requests));
        lines.extend(figures::failures(record));
        lines.extend(figures::times(&summary.requests));
        lines.push(figures::jobs(&summary.jobs));
        Self {
            record,
            plots,
            clock: Clock::new(record),
            passed: passed(summary),
            headline: headline(summary),
            origin: figures::origin(summary),
            lines,
        }
    }

    fn from(&self) -> String {
        moment(self.record.start, self.clock.zone())
    }

    fn to(&self) -> String {
        moment(self.record.end, self.clock.zone())
    }

    fn scaling(&self) -> String {
        figures::scaling(self.record).text
    }

    fn bill(&self) -> String {
        figures::bill(&self.record.summary.billing).text
    }

    fn compared(&self, baseline: &Baseline) -> String {
        figures::baseline(baseline, &self.record.summary.billing).text
    }

    fn when(&self, event: &ScaleEvent) -> String {
        moment(event.at.at, self.clock.zone())
    }

    fn moment(&self, at: Timestamp) -> String {
        moment(at, self.clock.zone())
    }

    fn until(&self, fault: &FaultSpan) -> String {
        if fault.to == fault.from {
            return "the same moment: it befell one command".to_owned();
        }
        if fault.to >= self.record.end {
            return "the end of the run".to_owned();
        }
        self.moment(fault.to)
    }

    fn standing(&self, property: &PropertyResult) -> &'static str {
        standing(&self.record.summary, property).words()
    }

    fn calls(&self) -> Vec<Line> {
        self.record.closest.iter().map(|call| figures::closest(call, &self.clock)).collect()
    }
}

const fn what(event: &ScaleEvent) -> &'static str {
    figures::action(event.action)
}

const fn met(expectation: &ExpectationResult) -> &'static str {
    if expectation.holds { "met" } else { "not met" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture, plots};

    fn page(record: &RunRecord, plots: &[(&'static str, String)]) -> String {
        let mut page = Vec::new();
        html(record, plots, &mut page).expect("renders");
        String::from_utf8(page).expect("is text")
    }

    #[test]
    fn the_page_is_self_contained_and_escaped() {
        let mut record = fixture::record();
        record.title = "<script>alert(1)</script>".to_owned();
        record.baselines[0].name = "<script>alert(2)</script>".to_owned();
        let page = page(&record, &plots(&record).expect("draws"));
        let bare = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        assert!(!bare.contains("http://") && !bare.contains("https://"));
        assert!(!page.contains("<script"));
        assert_eq!(page.matches("<svg").count(), 5);
    }

    #[test]
    fn a_violation_has_its_decision_and_the_command_that_gives_it_again() {
        let failed = page(&fixture::failed(), &[]);
        assert!(failed.contains("under: 2 to 2 servers: a reason"));
        assert!(failed.contains("<code>tidegate run campaign.toml --set"));
        assert!(!page(&fixture::empty(), &[]).contains("tidegate run"));
    }

    #[test]
    fn faults_are_listed_with_their_times_and_without_any_there_is_no_list() {
        let faulty = page(&fixture::faulty(), &[]);
        let row = "cut</th><td>2026-03-02 01:00:00</td><td>2026-03-02 01:30:00</td>";
        assert!(faulty.contains(row), "{faulty}");
        assert!(faulty.contains("command-lost, standby-1</th>"), "{faulty}");
        assert!(faulty.contains("1,234 more times"), "{faulty}");
        assert!(!page(&fixture::record(), &[]).contains("Fault"));
    }

    #[test]
    fn every_fixture_renders() {
        for record in [fixture::failed(), fixture::quiet(), fixture::empty()] {
            assert!(page(&record, &[]).contains("</html>"));
        }
    }

    #[test]
    fn a_fleet_shows_how_many_servers_there_are_and_where_its_groups_stand() {
        let [fleet, alone] = [fixture::fleet(), fixture::record()]
            .map(|record| page(&record, &plots(&record).expect("draws")));
        for text in ["40 groups, 40 held", "with power", "groups.csv"] {
            assert!(fleet.contains(text) && !alone.contains(text), "{text}");
        }
    }

    #[test]
    fn a_run_in_flows_is_shown_as_one_and_has_no_maximum() {
        let record = fixture::fluid();
        let page = page(&record, &plots(&record).expect("draws"));
        assert!(page.contains("requests are flows") && page.contains("3.6 billion"));
        assert!(!page.contains(", max "), "a maximum that nobody knows");
        assert_eq!(page.matches("<svg").count(), 5);
    }
}
