//! Tokens that are shown as `Authorization: Bearer`, or by a browser as a password.

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::answer;
use crate::adapters::{SecretError, SecretSource};

/// A token, as its hash: two hashes are compared in constant time, whatever is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token(blake3::Hash);

impl Token {
    pub fn read(source: &SecretSource) -> Result<Self, SecretError> {
        source.read().map(|secret| Self::of(secret.expose()))
    }

    pub fn of(secret: &str) -> Self {
        Self(blake3::hash(secret.as_bytes()))
    }

    /// Whether it is shown.
    pub fn is_shown(self, headers: &HeaderMap) -> bool {
        shown(headers, "Bearer ").is_some_and(|token| blake3::hash(token) == self.0)
    }

    /// The name of the person whose browser shows it as the password.
    pub fn person(self, headers: &HeaderMap) -> Option<String> {
        let shown = STANDARD.decode(shown(headers, "Basic ")?).ok()?;
        let shown = String::from_utf8(shown).ok()?;
        let (who, password) = shown.split_once(':')?;
        (blake3::hash(password.as_bytes()) == self.0).then(|| who.to_owned())
    }

    /// What only those can know who know the token.
    pub fn seal(self, text: &str) -> blake3::Hash {
        blake3::keyed_hash(self.0.as_bytes(), text.as_bytes())
    }
}

/// What is shown in this way.
fn shown<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a [u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (given, shown) = value.split_at_checked(scheme.len())?;
    given.eq_ignore_ascii_case(scheme.as_bytes()).then(|| shown.trim_ascii())
}

/// The answer to a browser that shows none, or another one.
pub(super) fn sign_in() -> Response {
    let what = "sign in with your name, and the token as the password";
    let mut refused = answer(StatusCode::UNAUTHORIZED, what);
    let scheme = HeaderValue::from_static("Basic realm=\"tidegate\", charset=\"UTF-8\"");
    refused.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    refused
}

/// The answer to who shows none, or another one.
pub(super) fn refused() -> Response {
    let mut refused = answer(StatusCode::UNAUTHORIZED, "show the token as `Authorization: Bearer`");
    refused.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_when_it_is_shown_as_a_bearer() {
        let token = Token::of("s3cret");
        let is_shown = |text: &'static str| {
            let value = (AUTHORIZATION, HeaderValue::from_static(text));
            token.is_shown(&HeaderMap::from_iter([value]))
        };
        assert!(is_shown("Bearer s3cret") && is_shown("bearer  s3cret"));
        for wrong in ["", "Bearer", "Bearer ", "Bearer s3cre", "Basic s3cret", "s3cret"] {
            assert!(!is_shown(wrong), "{wrong}");
        }
        assert!(!token.is_shown(&HeaderMap::new()));
        let person = |text: &str| {
            let value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(text))).unwrap();
            token.person(&HeaderMap::from_iter([(AUTHORIZATION, value)]))
        };
        assert_eq!(person("ann:s3cret"), Some("ann".to_owned()));
        assert_eq!((person("ann:s3cre"), person("s3cret"), person(":")), (None, None, None));
        assert_ne!(token.seal("ann"), token.seal("bob"));
        assert!(!format!("{token:?}").contains("s3cret"));
    }
}
