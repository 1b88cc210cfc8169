//! What Alertmanager needs to know of a live host.

use serde::Serialize;
use tidegate_core::Span;

use super::{RulesError, duration, expression::quoted, measured};
use crate::adapters::SecretSource;
use crate::adapters::alertmanager::rules::{CONDITION, GROUP, RULE};
use crate::config::Config;
use crate::http::HttpFile;

/// The name of the receiver.
pub(crate) const RECEIVER: &str = "tidegate";
/// Between two looks of Alertmanager at an alert that was notified.
const INTERVAL: Span = Span::from_secs(30);
/// Notifications of an alert in the time for which one counts.
const REPETITIONS: i64 = 3;

#[derive(Serialize)]
struct Part {
    route: Routes,
    receivers: [Receiver; 1],
}

#[derive(Serialize)]
struct Routes {
    routes: [Route; 1],
}

#[derive(Serialize)]
struct Route {
    receiver: &'static str,
    matchers: [String; 1],
    group_by: [&'static str; 3],
    group_wait: String,
    group_interval: String,
    repeat_interval: String,
}

#[derive(Serialize)]
struct Receiver {
    name: &'static str,
    webhook_configs: [Webhook; 1],
}

#[derive(Serialize)]
struct Webhook {
    url: String,
    send_resolved: bool,
    max_alerts: u8,
    http_config: HttpConfig,
}

#[derive(Serialize)]
struct HttpConfig {
    authorization: Authorization,
}

#[derive(Serialize)]
struct Authorization {
    r#type: &'static str,
    credentials_file: String,
}

/// The route and the receiver that Alertmanager needs beside those that it has.
///
/// # Errors
/// If Prometheus measures no group.
pub fn alertmanager_file(config: &Config) -> Result<String, RulesError> {
    let groups: Vec<_> = measured(config).map(|(file, _)| file).collect();
    let names: Vec<_> = groups.iter().map(|file| escaped(&file.name)).collect();
    let evidence = groups.iter().map(|file| config.policy(file).evidence);
    let counts = evidence.map(|evidence| evidence.alert_up.min(evidence.alert_down)).min();
    let counts = counts.ok_or(RulesError::NoPrometheus)?;
    let repeat = Span::from_nanos(counts.as_nanos() / REPETITIONS).max(INTERVAL);
    let route = Route {
        receiver: RECEIVER,
        matchers: [format!("{GROUP}=~{}", quoted(&names.join("|")))],
        group_by: [GROUP, RULE, CONDITION],
        group_wait: duration(Span::ZERO),
        group_interval: duration(INTERVAL),
        repeat_interval: duration(Span::from_secs(repeat.as_secs_ceil())),
    };
    let part = Part {
        route: Routes { routes: [route] },
        receivers: [Receiver { name: RECEIVER, webhook_configs: [webhook(config)] }],
    };
    Ok(serde_saphyr::to_string(&part)?)
}

fn webhook(config: &Config) -> Webhook {
    let http = config.http.clone().unwrap_or_else(HttpFile::loopback);
    let file = match http.alerts_token {
        Some(SecretSource::File(path)) => path.display().to_string(),
        Some(SecretSource::Env(_)) | None => "/etc/alertmanager/tidegate-token".to_owned(),
    };
    let authorization = Authorization { r#type: "Bearer", credentials_file: file };
    Webhook {
        url: format!("http://{}/alerts", http.listen),
        send_resolved: true,
        max_alerts: 0,
        http_config: HttpConfig { authorization },
    }
}

/// `text` as a regular expression that matches it alone.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        if letter.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_itself_alone() {
        assert_eq!(escaped("a.b|c_d é"), "a\\.b\\|c\\_d é");
    }
}
