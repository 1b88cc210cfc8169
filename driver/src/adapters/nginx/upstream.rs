//! The file of `server` lines: what it says of a server, and the same file with one line changed.

use tidegate_core::Generation;

use crate::ports::PortError;

/// Stands behind a line with the fence of the order that wrote it.
const FENCE: &str = "# tidegate: generation ";

/// What a server's line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its share of the requests, where it gets any.
    pub weight: u32,
    pub down: bool,
    /// Only gets requests while no other server can.
    pub is_backup: bool,
    /// Of the last order about it, if there was one.
    pub generation: Option<Generation>,
}

/// The text of the file. What is not a line of a server of the group is kept as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Upstream(pub String);

/// A line that is a `server` directive of its own.
struct Directive<'a> {
    indent: &'a str,
    words: Vec<&'a str>,
    comment: &'a str,
}

impl<'a> Directive<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let indent = &line[..line.len() - line.trim_start().len()];
        let (directive, comment) = line.split_once(';')?;
        let words: Vec<_> = directive.split_whitespace().collect();
        let is_one = words.len() > 1 && words[0] == "server" && !directive.contains(['#', '{']);
        is_one.then_some(Self { indent, words, comment: comment.trim() })
    }

    fn is_of(&self, address: &str) -> bool {
        self.words.get(1) == Some(&address)
    }

    fn line(&self) -> Line {
        let parameters = self.words.iter().skip(2);
        let weight = parameters.filter_map(|word| word.strip_prefix("weight=")).next_back();
        let fence = self.comment.rsplit_once(FENCE).and_then(|(_, number)| number.parse().ok());
        Line {
            weight: weight.and_then(|weight| weight.parse().ok()).unwrap_or(1),
            down: self.words.contains(&"down"),
            is_backup: self.words.contains(&"backup"),
            generation: fence.map(Generation),
        }
    }

    /// As it would be written to say this.
    fn written(&self, line: Line) -> String {
        let is_ours = |word: &&str| *word == "down" || word.starts_with("weight=");
        let mut words: Vec<_> = self.words.iter().copied().filter(|word| !is_ours(word)).collect();
        let weight = format!("weight={}", line.weight);
        words.push(&weight);
        words.extend(line.down.then_some("down"));
        let mut text = format!("{}{};", self.indent, words.join(" "));
        let comment = self.comment.rsplit_once(FENCE).map_or(self.comment, |(before, _)| before);
        if !comment.trim().is_empty() {
            text = format!("{text} {}", comment.trim());
        }
        match line.generation {
            Some(Generation(number)) => format!("{text} {FENCE}{number}"),
            None => text,
        }
    }
}

impl Upstream {
    /// What stands on the line of the server with this address.
    ///
    /// # Errors
    /// If it has none, or several.
    pub fn line(&self, address: &str) -> Result<Line, PortError> {
        let directives = self.0.lines().filter_map(Directive::of);
        let mut ours = directives.filter(|directive| directive.is_of(address));
        match (ours.next(), ours.next()) {
            (Some(only), None) => Ok(only.line()),
            (None, _) => Err(PortError::refused(format!(
                "the upstream file has no line `server {address} …;`: write one for it"
            ))),
            (Some(_), Some(_)) => Err(PortError::refused(format!(
                "the upstream file has several lines `server {address} …;`: leave one"
            ))),
        }
    }

    /// The same with another line for this address.
    pub fn with(&self, address: &str, line: Line) -> Self {
        let mut text = String::with_capacity(self.0.len() + FENCE.len() + 20);
        for written in self.0.lines() {
            match Directive::of(written).filter(|directive| directive.is_of(address)) {
                Some(directive) => text.push_str(&directive.written(line)),
                None => text.push_str(written),
            }
            text.push('\n');
        }
        Self(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::{config, texts};

    const FILE: &str = "# of the school\n\
                        \tserver 10.0.0.1:80 weight=100 max_fails=2; # primary\n\
                        server  10.0.0.2:80  down weight=3 fail_timeout=5s;\n\
                        # server 10.0.0.2:80;\n\
                        keepalive 8;";

    fn upstream() -> Upstream {
        Upstream(FILE.to_owned())
    }

    #[test]
    fn a_line_is_read_and_changed_and_the_rest_stays() {
        let file = upstream();
        let primary = file.line("10.0.0.1:80").unwrap();
        assert_eq!((primary.weight, primary.down, primary.generation), (100, false, None));
        let standby = file.line("10.0.0.2:80").unwrap();
        assert_eq!((standby.weight, standby.down), (3, true));
        let generation = Some(Generation(7));
        let joined = Line { weight: 50, down: false, generation, ..standby };
        let file = file.with("10.0.0.2:80", joined);
        assert_eq!(file.line("10.0.0.2:80"), Ok(joined));
        let expected = FILE.replace(
            "server  10.0.0.2:80  down weight=3 fail_timeout=5s;",
            "server 10.0.0.2:80 fail_timeout=5s weight=50; # tidegate: generation 7",
        );
        assert_eq!(file.0, format!("{expected}\n"));
        let down = Line { down: true, generation: Some(Generation(8)), ..primary };
        let file = file.with("10.0.0.1:80", down);
        assert!(file.0.contains(
            "\tserver 10.0.0.1:80 max_fails=2 weight=100 down; # primary # tidegate: generation 8\n"
        ));
        assert_eq!(file.line("10.0.0.1:80"), Ok(down));
    }

    #[test]
    fn a_server_has_one_line_of_its_own() {
        let why = upstream().line("10.0.0.3:80").unwrap_err();
        assert!(why.what.contains("has no line `server 10.0.0.3:80 …;`"), "{why}");
        let twice = Upstream(FILE.replace("# server", "server"));
        let why = twice.line("10.0.0.2:80").unwrap_err();
        assert!(why.what.contains("several lines"), "{why}");
        let within = Upstream("upstream app { server 10.0.0.2:80; }".to_owned());
        assert!(within.line("10.0.0.2:80").is_err());
    }

    #[test]
    fn what_is_no_server_line_is_none() {
        for text in ["", ";", "server", "server;", "server # a;", "server a", "servers a;", "é;"] {
            assert!(Directive::of(text).is_none(), "{text}");
        }
        let odd = Directive::of("server a weight=x weight=; # tidegate: generation y").unwrap();
        assert_eq!((odd.line().weight, odd.line().generation), (1, None));
    }

    proptest! {
        #![proptest_config(config(5_000))]

        #[test]
        fn what_is_written_of_any_file_is_read_again(
            text in texts(&[FILE]),
            address in prop_oneof!["10\\.0\\.0\\.[1-3]:80", "[a-z0-9.:]{1,12}"],
            weight in any::<u32>(),
            down in any::<bool>(),
            generation in any::<u64>(),
        ) {
            let file = Upstream(text);
            match file.line(&address) {
                Ok(line) => {
                    let generation = Some(Generation(generation));
                    let next = Line { weight, down, generation, ..line };
                    prop_assert_eq!(file.with(&address, next).line(&address), Ok(next));
                }
                Err(why) => prop_assert!(why.what.contains(&address), "{why}"),
            }
        }
    }
}
