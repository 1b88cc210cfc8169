//! Units of systemd, and its words for what they are.

use serde::Deserialize;

use crate::ports::PortError;

/// The name of a unit, such as `bench@1.service`. A shell takes it as one word.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Unit(String);

impl TryFrom<String> for Unit {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b":_.@-".contains(&byte);
        let has_kind = name.rsplit_once('.').is_some_and(|(stem, kind)| {
            !stem.is_empty() && ["service", "target", "socket", "timer", "slice"].contains(&kind)
        });
        if has_kind && !name.starts_with('-') && name.bytes().all(fits) {
            return Ok(Self(name));
        }
        Err(format!("`{name}` is no name of a unit: `bench.target` is one"))
    }
}

impl Unit {
    /// As systemd has it.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// What a unit is, in the words of `systemctl is-active`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Active,
    Reloading,
    Activating,
    Deactivating,
    Inactive,
    Failed,
    Unknown,
}

impl State {
    const ALL: [Self; 7] = [
        Self::Active,
        Self::Reloading,
        Self::Activating,
        Self::Deactivating,
        Self::Inactive,
        Self::Failed,
        Self::Unknown,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Reloading => "reloading",
            Self::Activating => "activating",
            Self::Deactivating => "deactivating",
            Self::Inactive => "inactive",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it runs.
    pub const fn is_up(self) -> bool {
        matches!(self, Self::Active | Self::Reloading)
    }

    /// Whether nothing of it runs.
    pub const fn is_down(self) -> bool {
        matches!(self, Self::Inactive | Self::Failed | Self::Unknown)
    }

    /// Whether it is on its way to something else.
    pub const fn moves(self) -> bool {
        matches!(self, Self::Activating | Self::Deactivating)
    }
}

/// The states in an answer, a line a unit.
pub(super) fn states(answer: &str, units: &[Unit]) -> Result<Vec<State>, PortError> {
    let state = |word: &str| State::ALL.into_iter().find(|state| state.word() == word.trim());
    let states: Option<Vec<_>> = answer.lines().map(state).collect();
    let states = states.filter(|states| states.len() == units.len());
    states.ok_or_else(|| {
        let shown: String = answer.chars().filter(|c| !c.is_control()).take(80).collect();
        PortError::refused(format!("`systemctl is-active` answers something else: {shown}"))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unit(name: &str) -> Result<Unit, String> {
        Unit::try_from(name.to_owned())
    }

    #[test]
    fn a_unit_is_one_word_to_a_shell() {
        for good in ["bench.target", "rq@1.service", "a-b:c_d.timer"] {
            assert_eq!(unit(good).map(|unit| unit.name().to_owned()), Ok(good.to_owned()));
        }
        for bad in ["", "bench", ".target", "-a.target", "a b.target", "a;b.target", "a\\.target"] {
            assert!(unit(bad).unwrap_err().contains("is no name of a unit"), "{bad}");
        }
    }

    #[test]
    fn each_unit_has_a_word() {
        let units = [unit("a.service").unwrap(), unit("b.service").unwrap()];
        assert_eq!(states("active\nfailed\n", &units), Ok(vec![State::Active, State::Failed]));
        for wrong in ["active\n", "active\nfailed\nactive\n", "active\nbusy\n", ""] {
            assert!(states(wrong, &units).is_err(), "{wrong}");
        }
        for state in State::ALL {
            let sorts = [state.is_up(), state.is_down(), state.moves()];
            assert_eq!(sorts.iter().filter(|is| **is).count(), 1, "{state:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            if let Ok(unit) = unit(&text) {
                prop_assert!(!unit.name().contains([' ', '$', ';', '\'', '\n']));
            }
            let _ = states(&text, &[]);
        }
    }
}
