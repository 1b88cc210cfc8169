//! What people ask of a group, as it comes in.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tidegate_core::time::SpanError;
use tidegate_core::{OperatorRequest, Span, Timestamp};

/// The longest name of a person, in letters.
const LONGEST_NAME: usize = 64;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// More servers than now, for a time.
    ScaleUp,
    /// Fewer servers than now, for a time.
    ScaleDown,
    /// Neither rules nor schedules start anything, for a time.
    Pause,
    /// Ends a pause and what people asked for before.
    Resume,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ScaleUp, Self::ScaleDown, Self::Pause, Self::Resume];

    /// Its name, as in an address.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScaleUp => "scale-up",
            Self::ScaleDown => "scale-down",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }
}

/// Why nothing can be asked so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// No such action.
    #[error("`{0}` is not `scale-up`, `scale-down`, `pause` or `resume`")]
    Action(String),
    /// Nobody asks.
    #[error("`who` is to be the name of who asks: 1 to 64 letters without control characters")]
    Who,
    /// Not a number of servers.
    #[error("`by` is to be a number of servers from 1 to 65535")]
    By,
    /// Not a length of time.
    #[error("`hold` is refused: {0}")]
    Hold(SpanError),
    /// Two ends.
    #[error("give `hold` or `until`, not both")]
    TwoEnds,
    /// A pause has an end.
    #[error("say how long the pause is, with `hold` or `until`")]
    Endless,
    /// Not a time.
    #[error(
        "`until` is `{0}`: write a time such as \"2026-03-02T08:30:00Z\" or \
         \"2026-03-02T08:30[Asia/Kolkata]\""
    )]
    Until(String),
    /// A time that is over.
    #[error("`until` is over already")]
    Over,
    /// Something that the action does not take.
    #[error("`{action}` takes no `{key}`")]
    Key {
        /// Which action.
        action: &'static str,
        /// Which key.
        key: &'static str,
    },
}

impl FromStr for Action {
    type Err = BadRequest;

    fn from_str(text: &str) -> Result<Self, BadRequest> {
        let found = Self::ALL.into_iter().find(|action| action.name() == text);
        found.ok_or_else(|| BadRequest::Action(text.escape_debug().take(LONGEST_NAME).collect()))
    }
}

/// What goes with an action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Who asks, as the person says.
    pub who: String,
    /// How many servers, one if it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<u16>,
    /// For how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Span>,
    /// Until when: a time of RFC 3339, or a date and a time of day with a zone in brackets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

impl Wish {
    /// What the controller is to be asked at `now`. Without an end, what holds for a time holds for
    /// as long as the policy says.
    ///
    /// # Errors
    /// If it makes no sense.
    pub fn request(&self, action: Action, now: Timestamp) -> Result<OperatorRequest, BadRequest> {
        let is_name = self.who.chars().all(|letter| !letter.is_control())
            && self.who.chars().count() <= LONGEST_NAME
            && !self.who.trim().is_empty();
        if !is_name {
            return Err(BadRequest::Who);
        }
        let no = |given: bool, key| {
            let action = action.name();
            if given { Err(BadRequest::Key { action, key }) } else { Ok(()) }
        };
        if matches!(action, Action::Pause | Action::Resume) {
            no(self.by.is_some(), "by")?;
        }
        let hold = self.hold(now)?;
        let by = self.by.unwrap_or(1);
        match action {
            _ if by == 0 => Err(BadRequest::By),
            Action::ScaleUp => Ok(OperatorRequest::ScaleUp { by, hold }),
            Action::ScaleDown => Ok(OperatorRequest::ScaleDown { by, hold }),
            Action::Pause => {
                hold.map(|hold| OperatorRequest::PauseUntil(now + hold)).ok_or(BadRequest::Endless)
            }
            Action::Resume => {
                no(self.hold.is_some(), "hold")?;
                no(self.until.is_some(), "until")?;
                Ok(OperatorRequest::Resume)
            }
        }
    }

    fn hold(&self, now: Timestamp) -> Result<Option<Span>, BadRequest> {
        let Some(text) = &self.until else { return Ok(self.hold) };
        if self.hold.is_some() {
            return Err(BadRequest::TwoEnds);
        }
        let zoned = || text.parse::<jiff::ZonedDateTime>().map(|zoned| zoned.timestamp());
        let until = text.parse::<jiff::Timestamp>().or_else(|_| zoned()).ok();
        let until = until.and_then(Timestamp::from_jiff).ok_or_else(|| {
            BadRequest::Until(text.chars().take(LONGEST_NAME).collect::<String>())
        })?;
        if until <= now { Err(BadRequest::Over) } else { Ok(Some(until.since(now))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(text: &str) -> Wish {
        serde_json::from_str(text).unwrap()
    }

    fn asked(action: Action, text: &str) -> Result<OperatorRequest, BadRequest> {
        wish(text).request(action, Timestamp::default())
    }

    #[test]
    fn wishes_are_read() {
        let hold = Some(Span::from_hours(1));
        for (action, text, request) in [
            (Action::ScaleUp, r#"{"who":"ann"}"#, OperatorRequest::ScaleUp { by: 1, hold: None }),
            (
                Action::ScaleDown,
                r#"{"who":"ann","by":2,"hold":"1h"}"#,
                OperatorRequest::ScaleDown { by: 2, hold },
            ),
            (
                Action::ScaleUp,
                r#"{"who":"ann","until":"1970-01-01T01:00:00Z"}"#,
                OperatorRequest::ScaleUp { by: 1, hold },
            ),
            (
                Action::Pause,
                r#"{"who":"ann","until":"1970-01-01T06:30[Asia/Kolkata]"}"#,
                OperatorRequest::PauseUntil(Timestamp::default() + Span::from_hours(1)),
            ),
            (Action::Resume, r#"{"who":"ann"}"#, OperatorRequest::Resume),
        ] {
            assert_eq!(asked(action, text), Ok(request), "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let until = |text: &str| format!(r#"{{"who":"ann","until":"{text}"}}"#);
        for (action, text, why) in [
            (Action::ScaleUp, r#"{"who":" "}"#.to_owned(), "`who`"),
            (Action::ScaleUp, r#"{"who":"a\nb"}"#.to_owned(), "`who`"),
            (Action::ScaleUp, format!(r#"{{"who":"{}"}}"#, "é".repeat(65)), "`who`"),
            (Action::ScaleUp, r#"{"who":"ann","by":0}"#.to_owned(), "`by`"),
            (Action::Pause, r#"{"who":"ann","by":1}"#.to_owned(), "`pause` takes no `by`"),
            (Action::Pause, r#"{"who":"ann"}"#.to_owned(), "how long the pause"),
            (Action::Resume, r#"{"who":"ann","hold":"1h"}"#.to_owned(), "takes no `hold`"),
            (Action::ScaleUp, until("soon"), "`until` is `soon`"),
            (Action::ScaleUp, until("1969-01-01T00:00:00Z"), "over already"),
        ] {
            let said = asked(action, &text).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
        let both = Wish { hold: Some(Span::ZERO), ..wish(&until("2026-01-01T00:00:00Z")) };
        assert_eq!(both.request(Action::Pause, Timestamp::default()), Err(BadRequest::TwoEnds));
        assert!("scale".parse::<Action>().is_err() && "resume".parse() == Ok(Action::Resume));
    }
}
