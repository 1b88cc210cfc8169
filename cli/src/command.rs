//! Commands as a person would type them, to be printed where something is to be run again.

use std::borrow::Cow;
use std::fmt::Display;
use std::path::Path;

/// A command of the program, quoted for a shell.
#[derive(Clone, Debug)]
pub(crate) struct CommandLine(String);

impl CommandLine {
    /// `tidegate` with a subcommand.
    pub fn new(subcommand: &str) -> Self {
        Self(format!("tidegate {subcommand}"))
    }

    /// With a flag.
    pub fn flag(self, flag: &str) -> Self {
        Self(format!("{} {flag}", self.0))
    }

    /// With a path that is no option, whatever it begins with.
    pub fn path(self, path: &Path) -> Self {
        let text = path.display().to_string();
        let text = if text.starts_with('-') { format!("./{text}") } else { text };
        Self(format!("{} {}", self.0, quoted(&text)))
    }

    /// With an option and its value.
    pub fn option(self, option: &str, value: impl Display) -> Self {
        let value = value.to_string();
        let between = if value.starts_with('-') { '=' } else { ' ' };
        Self(format!("{} {option}{between}{}", self.0, quoted(&value)))
    }

    /// With an option, if it has a value.
    pub fn maybe(self, option: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.option(option, value),
            None => self,
        }
    }
}

impl Display for CommandLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// `tidegate run` of a scenario file as it is.
pub(crate) fn run_of(scenario: &Path) -> CommandLine {
    CommandLine::new("run").path(scenario)
}

/// `text` as one word of a POSIX shell.
fn quoted(text: &str) -> Cow<'_, str> {
    let bare = |letter: char| letter.is_ascii_alphanumeric() || "_-./:=,+@%".contains(letter);
    if !text.is_empty() && text.chars().all(bare) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_read_is_quoted() {
        let command = run_of(Path::new("-my scenario.toml"))
            .option("--set", "policy.up.0.above=80%")
            .option("--set", "defects=[\"wait-forever\"]")
            .option("--set", "title=it's")
            .maybe("--seed", Some(7))
            .maybe("--load", None::<&str>);
        assert_eq!(
            command.to_string(),
            "tidegate run './-my scenario.toml' --set policy.up.0.above=80% \
             --set 'defects=[\"wait-forever\"]' --set 'title=it'\\''s' --seed 7"
        );
        assert_eq!(quoted(""), "''");
    }
}
