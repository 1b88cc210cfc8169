//! What Prometheus answers.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tidegate_core::Failure;

use crate::ports::PortError;

/// The label that tells which expression a series is of.
pub(super) const LABEL: &str = "tidegate";

/// What a server that speaks TLS answers whoever does not.
const WANTS_TLS: &[u8] = b"Client sent an HTTP request to an HTTPS server.\n";

/// What an expression is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Cpu,
    CpuSampled,
    Memory,
    MemorySampled,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Cpu, Self::CpuSampled, Self::Memory, Self::MemorySampled];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::CpuSampled => "cpu-sampled",
            Self::Memory => "memory",
            Self::MemorySampled => "memory-sampled",
        }
    }
}

#[derive(Debug, Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    /// The time of the query, and the number as text.
    value: (f64, String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", tag = "status")]
enum Whole {
    Success {
        data: Value,
    },
    #[serde(rename_all = "camelCase")]
    Error {
        error_type: String,
        error: String,
    },
}

/// The series of all expressions.
#[derive(Debug)]
pub(super) struct Answer(Vec<Series>);

impl Answer {
    /// The values of one kind for one server. `NaN`, `+Inf` and `-Inf` are read as such.
    pub fn values<'a>(
        &'a self,
        kind: Kind,
        label: &'a str,
        server: &'a str,
    ) -> impl Iterator<Item = f64> + 'a {
        let has = |series: &Series, label: &str, value: &str| {
            series.metric.get(label).is_some_and(|given| given == value)
        };
        let ours =
            move |series: &&Series| has(series, LABEL, kind.name()) && has(series, label, server);
        self.0.iter().filter(ours).filter_map(|series| series.value.1.parse().ok())
    }

    /// The labels of each series.
    pub fn metrics(&self) -> impl Iterator<Item = &BTreeMap<String, String>> {
        self.0.iter().map(|series| &series.metric)
    }
}

/// Reads the series of an answer to an instant query.
pub(super) fn read(data: Value) -> Result<Answer, PortError> {
    let stranger = |_| PortError::refused("what answers is not Prometheus");
    let data: Data = serde_json::from_value(data).map_err(stranger)?;
    if data.result_type != "vector" {
        return Err(PortError::refused("Prometheus answered with no instant vector"));
    }
    serde_json::from_value(data.result).map(Answer).map_err(stranger)
}

/// The data of an answer, good or bad.
pub(super) fn data(status: StatusCode, body: &[u8]) -> Result<Value, PortError> {
    match serde_json::from_slice(body) {
        Ok(Whole::Success { data }) => Ok(data),
        Ok(Whole::Error { error_type, error }) => Err(PortError::new(
            match error_type.as_str() {
                "timeout" | "canceled" => Failure::TimedOut,
                "unavailable" => Failure::Unreachable,
                _ => Failure::Refused,
            },
            format!("Prometheus says: {error_type}: {error}"),
        )),
        Err(_) if body == WANTS_TLS => {
            Err(PortError::refused("Prometheus speaks TLS there: give its `url` with `https`"))
        }
        Err(_) if status.is_server_error() => {
            Err(PortError::unreachable(format!("Prometheus answers {status}")))
        }
        Err(_) if !status.is_success() => {
            Err(PortError::refused(format!("Prometheus answers {status}")))
        }
        Err(_) => Err(PortError::refused("what answers is not Prometheus")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16, body: &str) -> (Failure, String) {
        let data = data(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        let why = data.and_then(read).unwrap_err();
        (why.failure, why.what)
    }

    #[test]
    fn a_vector_is_read_by_kind_label_and_server() {
        let series =
            r#"{"metric": {"tidegate": "cpu", "instance": "a:1"}, "value": [1.5, "0.25"]}"#;
        let body = format!(
            r#"{{"status": "success", "data": {{"resultType": "vector", "result": [{series}]}}}}"#
        );
        let answer = data(StatusCode::OK, body.as_bytes()).and_then(read).unwrap();
        let values = |kind, server| answer.values(kind, "instance", server).collect::<Vec<f64>>();
        assert_eq!(values(Kind::Cpu, "a:1"), [0.25]);
        assert!(values(Kind::Memory, "a:1").is_empty() && values(Kind::Cpu, "b:1").is_empty());
    }

    #[test]
    fn what_went_wrong_is_told_apart() {
        let error =
            |kind: &str| format!(r#"{{"status": "error", "errorType": "{kind}", "error": "e"}}"#);
        let told = |kind: &str| format!("Prometheus says: {kind}: e");
        assert_eq!(failure(400, &error("bad_data")), (Failure::Refused, told("bad_data")));
        assert_eq!(failure(503, &error("timeout")), (Failure::TimedOut, told("timeout")));
        assert_eq!(failure(503, "busy").0, Failure::Unreachable);
        let tls = "Client sent an HTTP request to an HTTPS server.\n";
        assert!(failure(400, tls).1.contains("give its `url` with `https`"));
        assert_eq!(failure(401, "").1, "Prometheus answers 401 Unauthorized");
        assert_eq!(failure(200, "<html>").1, "what answers is not Prometheus");
        let scalar =
            r#"{"status": "success", "data": {"resultType": "scalar", "result": [1, "2"]}}"#;
        assert_eq!(failure(200, scalar).1, "Prometheus answered with no instant vector");
    }
}
