//! nginx's configuration, as `nginx -T` prints it: one tree of directives, with the files that it
//! includes in their places.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Opens each file in what is printed.
const FILE: &str = "# configuration file ";

/// More than blocks and files are ever within one another, and than files are ever included.
const DEPTH_MAX: usize = 32;
const READS_MAX: u32 = 10_000;

/// A directive, and what its block holds; a file that is included is the block of its `include`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Directive {
    pub words: Vec<String>,
    pub block: Vec<Directive>,
    /// The file that it stands in.
    pub file: PathBuf,
}

impl Directive {
    pub fn name(&self) -> &str {
        self.word(0)
    }

    pub fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", String::as_str)
    }
}

/// All directives of a block, those of included files in their places.
pub(super) fn within(block: &[Directive]) -> Vec<&Directive> {
    fn of(directive: &Directive) -> Vec<&Directive> {
        if directive.name() == "include" { within(&directive.block) } else { vec![directive] }
    }
    block.iter().flat_map(of).collect()
}

/// All directives, wherever they stand, each with the blocks around it, the outermost first.
pub(super) fn everywhere(tree: &[Directive]) -> Vec<(Vec<&[Directive]>, &Directive)> {
    let mut found = Vec::new();
    gather(tree, &mut Vec::new(), &mut found);
    found
}

fn gather<'a>(
    block: &'a [Directive],
    around: &mut Vec<&'a [Directive]>,
    found: &mut Vec<(Vec<&'a [Directive]>, &'a Directive)>,
) {
    around.push(block);
    for directive in block {
        found.push((around.clone(), directive));
        gather(&directive.block, around, found);
    }
    around.pop();
}

/// The tree of what `nginx -T` printed.
pub(super) fn tree(printed: &str) -> Vec<Directive> {
    let mut files: Vec<(PathBuf, String)> = Vec::new();
    for line in printed.lines() {
        let path = line.strip_prefix(FILE).and_then(|rest| rest.strip_suffix(':'));
        if let Some(path) = path {
            files.push((path.into(), String::new()));
        } else if let Some((_, text)) = files.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    let Some((main, _)) = files.first().cloned() else { return Vec::new() };
    let folder = main.parent().map_or_else(PathBuf::new, Path::to_owned);
    let (files, left) = (files.into_iter().collect(), Cell::new(READS_MAX));
    Printed { folder, files, left }.read(&main, 0)
}

/// Whether the pattern of an `include` in a configuration below `folder` takes `path` in.
pub(super) fn includes(pattern: &str, folder: &Path, path: &Path) -> bool {
    let pattern = folder.join(pattern);
    let pattern: Vec<char> = pattern.to_string_lossy().chars().collect();
    let path: Vec<char> = path.to_string_lossy().chars().collect();
    fits(&pattern, &path)
}

/// As a shell's, with `*` and `?` for what is no `/`.
fn fits(pattern: &[char], text: &[char]) -> bool {
    // Where the last star stands and what it has taken so far.
    let (mut at, mut read, mut star) = (0, 0, None);
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(letter) if *letter == text[read] || (*letter == '?' && text[read] != '/') => {
                (at, read) = (at + 1, read + 1);
            }
            Some(_) | None => match star {
                Some((begun, taken)) if text[taken] != '/' => {
                    star = Some((begun, taken + 1));
                    (at, read) = (begun + 1, taken + 1);
                }
                Some(_) | None => return false,
            },
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

struct Printed {
    folder: PathBuf,
    files: BTreeMap<PathBuf, String>,
    /// How many more are read.
    left: Cell<u32>,
}

impl Printed {
    fn read(&self, path: &Path, depth: usize) -> Vec<Directive> {
        let Some(text) = self.files.get(path) else { return Vec::new() };
        if depth >= DEPTH_MAX || self.left.get() == 0 {
            return Vec::new();
        }
        self.left.set(self.left.get() - 1);
        let mut block = parse(text, path);
        self.fill(&mut block, depth);
        block
    }

    fn fill(&self, block: &mut [Directive], depth: usize) {
        for directive in block {
            if directive.name() == "include" {
                let pattern = directive.word(1).to_owned();
                let ours = self.files.keys().filter(|path| includes(&pattern, &self.folder, path));
                directive.block = ours.flat_map(|path| self.read(path, depth + 1)).collect();
            } else {
                self.fill(&mut directive.block, depth);
            }
        }
    }
}

/// The directives of one file. What is left open at its end is closed there.
fn parse(text: &str, file: &Path) -> Vec<Directive> {
    let mut open: Vec<Directive> = vec![Directive::default()];
    let mut words = Vec::new();
    let close = |open: &mut Vec<Directive>| {
        if open.len() > 1
            && let Some(done) = open.pop()
            && let Some(parent) = open.last_mut()
        {
            parent.block.push(done);
        }
    };
    for token in tokens(text) {
        match token {
            Token::Word(word) => words.push(word),
            Token::End if words.is_empty() => {}
            Token::End | Token::Open => {
                let words = std::mem::take(&mut words);
                open.push(Directive { words, block: Vec::new(), file: file.to_owned() });
                if token == Token::End || open.len() > DEPTH_MAX {
                    close(&mut open);
                }
            }
            Token::Close => close(&mut open),
        }
    }
    while open.len() > 1 {
        close(&mut open);
    }
    open.pop().map(|root| root.block).unwrap_or_default()
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    End,
    Open,
    Close,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ';' => found.push(Token::End),
            '{' => found.push(Token::Open),
            '}' => found.push(Token::Close),
            '#' => while letters.next_if(|letter| *letter != '\n').is_some() {},
            '"' | '\'' => {
                let mut word = String::new();
                while let Some(inner) = letters.next().filter(|inner| *inner != letter) {
                    word.push(if inner == '\\' { letters.next().unwrap_or(inner) } else { inner });
                }
                found.push(Token::Word(word));
            }
            blank if blank.is_whitespace() => {}
            _ => {
                let mut word = String::from(letter);
                // The braces of `${name}` are a part of the word.
                let (mut last, mut in_name) = (letter, false);
                while let Some(next) = letters.next_if(|next| {
                    in_name = (in_name && last != '}') || (last == '$' && *next == '{');
                    in_name || !(next.is_whitespace() || ";{}".contains(*next))
                }) {
                    word.push(next);
                    last = next;
                }
                found.push(Token::Word(word));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::{config, texts};

    const PRINTED: &str = r#"
# configuration file /etc/nginx/nginx.conf:
http { # the only one
    log_format a '$x|${y}' " z";
    include conf.d/*.conf;
    include none/*;
}

# configuration file /etc/nginx/conf.d/app.conf:
upstream app { include /etc/tidegate/app.conf; }
server { location / { proxy_pass http://app; return ${a}b; } }
# configuration file /etc/tidegate/app.conf:
server 10.0.0.1:80;
"#;

    #[test]
    fn included_files_stand_in_their_places() {
        let tree = tree(PRINTED);
        let names: Vec<_> = within(&tree[0].block).iter().map(|one| one.name()).collect();
        assert_eq!(names, ["log_format", "upstream", "server"]);
        assert_eq!(tree[0].block[0].words[1..], ["a", "$x|${y}", " z"]);
        let all = everywhere(&tree);
        let find = |name: &str| all.iter().find(|(_, one)| one.name() == name).unwrap();
        let (around, pass) = find("proxy_pass");
        assert_eq!((around.len(), pass.word(1)), (5, "http://app"));
        assert_eq!(find("return").1.word(1), "${a}b");
        let server = all.iter().find(|(_, one)| one.word(1) == "10.0.0.1:80").unwrap().1;
        assert_eq!(server.file, Path::new("/etc/tidegate/app.conf"));
    }

    #[test]
    fn patterns_are_those_of_a_shell() {
        let is = |pattern, path: &str| includes(pattern, Path::new("/etc/nginx"), Path::new(path));
        assert!(is("conf.d/*.conf", "/etc/nginx/conf.d/a.conf"));
        assert!(is("/a/*", "/a/b") && is("/a/?.c*", "/a/b.c") && is("/a/b", "/a/b"));
        assert!(!is("conf.d/*.conf", "/etc/nginx/conf.d/a.conf.before"));
        assert!(!is("/a/*", "/a/b/c") && !is("/a/?", "/a/") && !is("/a/b", "/a/bc"));
    }

    #[test]
    fn what_makes_no_sense_ends_somewhere() {
        for text in ["", "}", "{{{", "a {", "a \"b", ";;", "a ${b", "\\", "é { ü", "}}a;"] {
            let _ = tree(&format!("{FILE}/a:\n{text}"));
            assert!(tree(text).is_empty());
        }
        let deep = "a {".repeat(10_000);
        assert!(!tree(&format!("{FILE}/a:\n{deep}")).is_empty());
        let itself = format!("{FILE}/a:\ninclude /a; include /a;");
        assert!(!tree(&itself).is_empty());
    }

    proptest! {
        #![proptest_config(config(5_000))]

        #[test]
        fn any_configuration_is_read_as_far_as_it_makes_sense(text in texts(&[PRINTED])) {
            let tree = tree(&text);
            for (around, directive) in everywhere(&tree) {
                prop_assert!(!around.is_empty());
                let _ = includes(directive.word(1), Path::new("/etc/nginx"), &directive.file);
            }
        }
    }
}
