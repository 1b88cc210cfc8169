//! Amazon's signature of a request, version 4: who it is from, and that nobody changed it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::credentials::Credentials;

/// A request to the root of a host, with a form as its body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unsigned<'a> {
    pub host: &'a str,
    pub region: &'a str,
    pub service: &'a str,
    pub content_type: &'a str,
    pub body: &'a str,
    /// When it is sent, as `20150830T123600Z`.
    pub at: &'a str,
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

fn hex(bytes: impl AsRef<[u8]>) -> String {
    use std::fmt::Write;
    bytes.as_ref().iter().fold(String::new(), |mut text, byte| {
        // Nothing that is written to a text fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// What its head has to have as `Authorization`.
pub(super) fn authorization(request: &Unsigned<'_>, who: &Credentials) -> String {
    let Unsigned { host, region, service, content_type, body, at } = *request;
    let mut headers = vec![("content-type", content_type), ("host", host), ("x-amz-date", at)];
    let token = who.token.as_ref().map(|token| ("x-amz-security-token", token.expose()));
    headers.extend(token);
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let line = |head: String, (name, value): &(&str, &str)| head + name + ":" + value + "\n";
    let head = headers.iter().fold(String::new(), line);
    let canonical = format!("POST\n/\n\n{head}\n{names}\n{}", hex(Sha256::digest(body)));
    let day = at.split('T').next().unwrap_or_default();
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let text = format!("{ALGORITHM}\n{at}\n{scope}\n{}", hex(Sha256::digest(canonical)));
    let first = format!("AWS4{}", who.secret_key.expose()).into_bytes();
    let key = [day, region, service, "aws4_request"];
    let key = key.iter().fold(first, |key, part| keyed(&key, part));
    let (signature, key) = (hex(keyed(&key, &text)), who.access_key.expose());
    format!("{ALGORITHM} Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::Secret;

    /// One of the examples that Amazon publishes for version 4.
    #[test]
    fn a_request_is_signed_as_amazon_shows() {
        let secret = |text: &str| Secret::from(text.to_owned());
        let who = Credentials {
            access_key: secret("AKIDEXAMPLE"),
            secret_key: secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            token: None,
        };
        let request = Unsigned {
            host: "example.amazonaws.com",
            region: "us-east-1",
            service: "service",
            content_type: "application/x-www-form-urlencoded",
            body: "Param1=value1",
            at: "20150830T123600Z",
        };
        let signed = "AWS4-HMAC-SHA256 \
             Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a";
        assert_eq!(authorization(&request, &who), signed);
    }

    /// Its signature is that of botocore.
    #[test]
    fn a_token_is_signed_with_the_rest() {
        let secret = |text: &str| Secret::from(text.to_owned());
        let who = Credentials {
            access_key: secret("AKIDEXAMPLE"),
            secret_key: secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            token: Some(secret("lent")),
        };
        let request = Unsigned {
            host: "ec2.eu-central-1.amazonaws.com",
            region: "eu-central-1",
            service: "ec2",
            content_type: "application/x-www-form-urlencoded; charset=utf-8",
            body: "Action=DescribeInstances&Version=2016-11-15",
            at: "20260302T083000Z",
        };
        let signed = authorization(&request, &who);
        assert!(signed.contains("host;x-amz-date;x-amz-security-token, "), "{signed}");
        let signature = "d8de5126a2ab053f1cbb8631bd3a7f49ec0268e72d98b7086ad7476a3eec2d89";
        assert!(signed.ends_with(signature), "{signed}");
    }
}
