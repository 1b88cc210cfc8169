//! What happens in a group, in words, for those who watch it.

use tidegate_core::decision::Verdict;
use tidegate_core::explain::{self, words::moment};
use tidegate_core::{Command, Input, OperatorRequest, Outcome, Span, Step, TimeZone};

use crate::runtime::{Event, HostEvent};

/// What happened, a line each.
pub fn lines(event: &Event<'_>) -> Vec<String> {
    let line = match event {
        Event::TakenUp { lines: 0 } => "begun".to_owned(),
        Event::TakenUp { lines } => format!("taken up after {lines} lines of its journal"),
        Event::Stepped { input, step } => return step_lines(input, step),
        Event::Asked { who, request: what } => format!("{who} asked {}", request(what)),
        Event::Ended { command, outcome: Outcome::Done, .. } => {
            format!("command {} done", command.id.0)
        }
        Event::Ended { command, why, .. } => {
            let why = why.map_or_else(String::new, ToString::to_string);
            format!("command {} failed: {why}", command.id.0)
        }
        Event::Dropped { command } => {
            format!("command {} dropped: it did not end", command.id.0)
        }
        Event::Blind { what, why } => format!("failed to read {what}: {why}"),
        Event::AlertLeftOut { why } => format!("an alert was left out: {why}"),
        Event::NotEnabled => {
            "it has `setup` and was never enabled: `tidegate enable` tries it out".to_owned()
        }
        Event::SeesAgain { what } => format!("{what} can be read again"),
    };
    vec![line]
}

/// What happened to a host.
pub fn of_host(event: &HostEvent<'_>) -> String {
    match event {
        HostEvent::Idle { why } => why.to_string(),
        HostEvent::Acts { term } => format!("this host acts, in term {term}"),
        HostEvent::Lost { why } => format!("this host acts no more: {why}"),
    }
}

fn step_lines(input: &Input, step: &Step) -> Vec<String> {
    let mut lines = Vec::new();
    match input {
        Input::TakeOver { term } => lines.push(format!("taken over in term {term}")),
        Input::Request(OperatorRequest::SetPolicy(_)) => {
            lines.push("the policy is another one".to_owned());
        }
        Input::Request(_) | Input::Observe(_) | Input::Complete { .. } | Input::Wake => {}
    }
    if step.decision.verdict != Verdict::Hold {
        lines.push(explain::reason(&step.decision));
    }
    let command = |command: &Command| {
        let (id, step) = (command.id.0, command.kind.step().name());
        format!("command {id}: {step} {}", command.server)
    };
    lines.extend(step.commands.iter().map(command));
    lines
}

/// So many servers.
pub fn counted(servers: u16) -> String {
    if servers == 1 { "1 server".to_owned() } else { format!("{servers} servers") }
}

/// What a person asked, after "asked": `for 1 server more for 1h`. Times are those of Greenwich.
pub fn request(what: &OperatorRequest) -> String {
    let hold = |hold: &Option<Span>| hold.map_or_else(String::new, |hold| format!(" for {hold}"));
    match what {
        OperatorRequest::ScaleUp { by, hold: time } => {
            format!("for {} more{}", counted(*by), hold(time))
        }
        OperatorRequest::ScaleDown { by, hold: time } => {
            format!("for {} less{}", counted(*by), hold(time))
        }
        OperatorRequest::PauseUntil(until) => {
            format!("for a pause until {}", moment(*until, &TimeZone::UTC))
        }
        OperatorRequest::Resume => "to resume".to_owned(),
        OperatorRequest::SetPolicy(_) => "for another policy".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::Timestamp;

    use super::*;

    #[test]
    fn requests_read_as_a_person_would_put_them() {
        let hold = Some(Span::from_mins(90));
        let pause = OperatorRequest::PauseUntil(Timestamp::default());
        for (asked, words) in [
            (OperatorRequest::ScaleUp { by: 1, hold: None }, "for 1 server more"),
            (OperatorRequest::ScaleDown { by: 2, hold }, "for 2 servers less for 1h 30m"),
            (pause, "for a pause until 1970-01-01 00:00:00"),
            (OperatorRequest::Resume, "to resume"),
        ] {
            assert_eq!(request(&asked), words);
        }
    }
}
