//! What a request is made of: a path and a body with places for names, and a place in a JSON
//! answer.

use serde::Deserialize;
use serde_json::Value;

/// What stands in a template for the server's name.
const SERVER: &str = "server";
/// What stands in a template for the action's name.
const ACTION: &str = "action";

/// Whom a request is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    pub server: &'a str,
    pub action: &'a str,
}

/// The path of a request, such as `/servers/{server}`; a query may follow.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template(String);

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if !text.starts_with('/') {
            return Err(format!("`{text}` is no path: it begins with `/`"));
        }
        let mut rest = text.as_str();
        while let Some((_, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                return Err(format!("`{text}` has a `{{` without its `}}`"));
            };
            if name != SERVER && name != ACTION {
                return Err(format!(
                    "`{{{name}}}` is nothing: there are `{{server}}`, `{{action}}`"
                ));
            }
            rest = after;
        }
        Ok(Self(text))
    }
}

impl Template {
    /// The path with these names in it, each as one part of a path.
    pub(super) fn filled(&self, names: Names<'_>) -> String {
        put(&self.0, Names { server: &escaped(names.server), action: &escaped(names.action) })
    }

    /// Whether it tells one action from another.
    pub(super) fn names_the_action(&self) -> bool {
        self.0.contains("{action}")
    }
}

fn put(text: &str, Names { server, action }: Names<'_>) -> String {
    // In one pass: a name that looks like a place is none.
    let mut filled = String::with_capacity(text.len() + server.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        let after = &rest[at..];
        let places = [("{server}", server), ("{action}", action)];
        let found =
            places.iter().find_map(|(place, name)| Some((*name, after.strip_prefix(place)?)));
        rest = if let Some((name, behind)) = found {
            filled.push_str(name);
            behind
        } else {
            filled.push('{');
            &after[1..]
        };
    }
    filled.push_str(rest);
    filled
}

/// A name as one part of a path: all but letters, digits and `-._~` by their numbers.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.extend([byte >> 4, byte & 15].map(|half| {
                char::from(b"0123456789ABCDEF".get(usize::from(half)).copied().unwrap_or(b'0'))
            }));
        }
    }
    text
}

/// Whether a name can be a part of a path: an address takes `.` and `..` for steps.
pub(super) fn is_a_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
}

/// A body with these names in its texts.
pub(super) fn body(template: &Value, names: Names<'_>) -> Value {
    match template {
        Value::String(text) => Value::String(put(text, names)),
        Value::Array(all) => all.iter().map(|one| body(one, names)).collect(),
        Value::Object(all) => {
            all.iter().map(|(key, one)| (key.clone(), body(one, names))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => template.clone(),
    }
}

/// A place in a JSON answer, such as `/server/status`, as RFC 6901 has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pointer(String);

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with('/') {
            return Ok(Self(text));
        }
        Err(format!("`{text}` is no place in an answer: `/server/status` is one"))
    }
}

impl Pointer {
    /// The word that stands there: a text, a number, or yes or no.
    pub(super) fn word(&self, answer: &Value) -> Option<String> {
        match answer.pointer(&self.0)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(is) => Some(is.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl std::fmt::Display for Pointer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn template(text: &str) -> Result<Template, String> {
        Template::try_from(text.to_owned())
    }

    #[test]
    fn names_are_put_in_their_places_and_are_one_part_of_a_path() {
        let path = template("/servers/{server}/actions/{action}?a=1").unwrap();
        let names = Names { server: "a/b {action}", action: "7" };
        assert_eq!(path.filled(names), "/servers/a%2Fb%20%7Baction%7D/actions/7?a=1");
        let told = body(&json!({ "ids": ["{server}"], "n": 1 }), names);
        assert_eq!(told, json!({ "ids": ["a/b {action}"], "n": 1 }));
        assert!(template("servers").unwrap_err().contains("begins with `/`"));
        assert!(template("/{serve}").unwrap_err().contains("`{serve}` is nothing"));
        assert!(template("/{server").unwrap_err().contains("without its `}`"));
    }

    #[test]
    fn a_word_is_a_text_a_number_or_yes_or_no() {
        let answer = json!({ "a/b": [{ "on": true }, 5, "off", null, {}] });
        let word = |at: &str| Pointer(at.to_owned()).word(&answer);
        assert_eq!(word("/a~1b/0/on").as_deref(), Some("true"));
        assert_eq!(word("/a~1b/1").as_deref(), Some("5"));
        assert_eq!(word("/a~1b/2").as_deref(), Some("off"));
        assert_eq!((word("/a~1b/3"), word("/a~1b/4"), word("/a~1b/01")), (None, None, None));
        assert!(Pointer::try_from("status".to_owned()).is_err());
    }

    proptest! {
        #[test]
        fn any_name_stays_in_its_part_of_the_address(name in ".*", path in "/[a-z/{}]*") {
            prop_assume!(is_a_name(&name));
            let Ok(path) = Template::try_from(format!("{path}/{{server}}")) else { return Ok(()) };
            let filled = path.filled(Names { server: &name, action: "x" });
            prop_assert!(!filled[1..].contains(['?', '#', ' ']));
            let url: reqwest::Url = format!("http://cloud.example/v1{filled}").parse().unwrap();
            prop_assert_eq!(url.host_str(), Some("cloud.example"));
            prop_assert!(url.path().starts_with("/v1"), "{}", url);
        }

        #[test]
        fn any_text_is_a_template_or_refused(text in ".*", name in ".*") {
            if let Ok(path) = Template::try_from(text.clone()) {
                let _ = path.filled(Names { server: &name, action: &name });
            }
            if let Ok(pointer) = Pointer::try_from(text.clone()) {
                let _ = pointer.word(&json!({ "a": [text] }));
            }
        }
    }
}
