//! Whether a cloud accepts the token and has the servers, without an order.

use futures_util::future::join_all;
use tidegate_core::{Failure, Power, ServerId};

use super::{HttpCloud, HttpProvider};
use crate::doctor::Finding;
use crate::ports::PortError;

const PART: &str = "provider";

impl HttpProvider {
    /// What the cloud says of each server.
    pub(crate) async fn examine(&self) -> Vec<Finding> {
        let cloud = self.cloud();
        let words = cloud.config.servers.iter().map(|name| cloud.word(name));
        let mut findings: Vec<Finding> = Vec::new();
        for ((word, name), id) in join_all(words).await.iter().zip(&cloud.config.servers).zip(0..) {
            let finding = cloud.finding(word, name, ServerId(id));
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        findings
    }
}

impl HttpCloud {
    fn finding(&self, word: &Result<String, PortError>, name: &str, server: ServerId) -> Finding {
        let word = match word {
            Ok(word) => word,
            Err(why) => return Finding::missing(PART, why.what.clone(), advice(why)),
        };
        let found = format!("{server} is `{name}`, and `{word}` there");
        match self.config.states.power(word) {
            None => Finding::missing(
                PART,
                format!("{found}, which no list of `states` has"),
                "put the word into the list that it belongs into, or wait until it is over",
            ),
            Some(Power::On | Power::Off | Power::Booting | Power::Stopping) => {
                Finding::ok(PART, found)
            }
        }
    }
}

fn advice(why: &PortError) -> &'static str {
    let has = |text: &str| why.what.contains(text);
    match why.failure {
        Failure::Refused if has("(401)") || has("(403)") => {
            "make a token that may read and write, and put it where `http.token` says"
        }
        Failure::Refused if has("(404)") => {
            "see by which name or number the cloud knows it, and correct `http.servers`"
        }
        Failure::RateLimited => "look less often, by `look.every`, or ask with another account",
        Failure::Refused if has("has no /") || has("no JSON") => {
            "compare `http.state` and `http.url` with what the cloud answers"
        }
        Failure::Unreachable | Failure::TimedOut => {
            "see whether `http.url` can be reached from here, and whom its certificate is from"
        }
        Failure::Refused | Failure::OutOfCapacity | Failure::Fenced => {
            "see what the cloud says of it, and compare `http.state` with its manual"
        }
    }
}
