//! What an answer of EC2 means.

use reqwest::StatusCode;
use roxmltree::{Document, Node};
use tidegate_core::{Failure, Power, Timestamp};

use super::super::cloud::Told;
use crate::ports::PortError;

/// Of what EC2 says for people, at most, in characters.
const LONGEST_MESSAGE: usize = 300;

/// An instance, in EC2's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Instance {
    id: String,
    state: String,
    launched: String,
    /// Why and when it went into its state.
    reason: String,
}

fn text(node: Node<'_, '_>, name: &str) -> String {
    let child = node.children().find(|child| child.tag_name().name() == name);
    child.and_then(|child| child.text()).unwrap_or_default().trim().to_owned()
}

fn items<'a, 'b>(node: Node<'a, 'b>, list: &'static str) -> Vec<Node<'a, 'b>> {
    let list = node.children().filter(|child| child.tag_name().name() == list);
    let items = list.flat_map(|list| list.children());
    items.filter(|child| child.tag_name().name() == "item").collect()
}

/// The instances that an answer tells of.
pub(super) fn instances(answer: &str) -> Result<Vec<Instance>, PortError> {
    let document = Document::parse(answer)
        .map_err(|why| PortError::refused(format!("EC2's answer is no XML: {why}")))?;
    let root = document.root_element();
    if root.tag_name().name() != "DescribeInstancesResponse" {
        return Err(PortError::refused("EC2's answer is about something else"));
    }
    let reservations = items(root, "reservationSet").into_iter();
    let instances = reservations.flat_map(|reservation| items(reservation, "instancesSet"));
    let instance = |node: Node<'_, '_>| {
        let state = node.children().find(|child| child.tag_name().name() == "instanceState");
        Instance {
            id: text(node, "instanceId"),
            state: state.map(|state| text(state, "name")).unwrap_or_default(),
            launched: text(node, "launchTime"),
            reason: text(node, "reason"),
        }
    };
    Ok(instances.map(instance).collect())
}

/// What is told of one of them.
pub(super) fn told(all: &[Instance], id: &str) -> Result<Told, PortError> {
    let own = all.iter().find(|own| own.id == id);
    let own = own.ok_or_else(|| PortError::refused(format!("EC2 knows no `{id}`")))?;
    let launched = || own.launched.parse::<jiff::Timestamp>().ok();
    let (power, since) = match own.state.as_str() {
        "pending" => (Power::Booting, launched()),
        "running" => (Power::On, launched()),
        "stopping" => (Power::Stopping, None),
        "stopped" => (Power::Off, moment(&own.reason)),
        other => {
            let what = format!("`{id}` is `{other}`, which tells neither on nor off");
            return Err(PortError::refused(what));
        }
    };
    Ok(Told { power, since: since.and_then(Timestamp::from_jiff) })
}

/// The time in a reason such as `User initiated (2026-03-02 08:30:00 GMT)`.
fn moment(reason: &str) -> Option<jiff::Timestamp> {
    let inside = reason.rsplit_once('(')?.1.strip_suffix(')')?;
    let time = inside.strip_suffix(" GMT").or_else(|| inside.strip_suffix(" UTC"))?;
    let time = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", time).ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(time).ok()
}

/// The code of an error, and what EC2 says for people.
fn error(answer: &str) -> Option<(String, String)> {
    let document = Document::parse(answer).ok()?;
    let error = document.descendants().find(|node| node.tag_name().name() == "Error")?;
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    let read = |name| text(error, name).chars().map(plain).take(LONGEST_MESSAGE).collect();
    Some((read("Code"), read("Message")))
}

/// Why a request came to nothing.
pub(super) fn refusal(status: StatusCode, answer: &str) -> PortError {
    let (code, message) = error(answer).unwrap_or_default();
    let number = status.as_u16();
    let said = format!("({number}): {code}, {message}");
    let told = |failure, what: &str| PortError::new(failure, format!("{what} {said}"));
    match code.as_str() {
        "InsufficientInstanceCapacity"
        | "InsufficientHostCapacity"
        | "InsufficientCapacity"
        | "SpotMaxPriceTooLow" => told(Failure::OutOfCapacity, "EC2 has no machine to give"),
        "InstanceLimitExceeded" | "VcpuLimitExceeded" => {
            told(Failure::OutOfCapacity, "EC2 gives this account no more machines")
        }
        "RequestLimitExceeded" | "Throttling" | "ThrottlingException" | "EC2ThrottledException" => {
            told(Failure::RateLimited, "EC2 is asked too often")
        }
        "AuthFailure"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "RequestExpired"
        | "UnrecognizedClientException" => {
            told(Failure::Refused, "EC2 does not accept the access key")
        }
        "UnauthorizedOperation" => told(Failure::Refused, "the access key gives no right to this"),
        "IncorrectInstanceState" => told(Failure::Refused, "EC2 is at something else with it"),
        "" if number >= 500 => told(Failure::Unreachable, "EC2 is not there"),
        "Unavailable" | "ServiceUnavailable" => told(Failure::Unreachable, "EC2 is not there"),
        _ if number >= 500 => told(Failure::Refused, "EC2 broke"),
        _ => told(Failure::Refused, "EC2 refuses it"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::{config, texts};

    fn described(state: &str, reason: &str) -> String {
        format!(
            "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
             <reservationSet><item><groupSet/><instancesSet><item><instanceId>i-1</instanceId>\
             <instanceState><code>80</code><name>{state}</name></instanceState>\
             <reason>{reason}</reason><launchTime>2026-03-02T08:00:00.000Z</launchTime>\
             </item></instancesSet></item></reservationSet></DescribeInstancesResponse>"
        )
    }

    fn state(state: &str, reason: &str) -> Result<(Power, Option<i64>), String> {
        let told = told(&instances(&described(state, reason)).unwrap(), "i-1");
        let told = told.map_err(|why| why.what)?;
        Ok((told.power, told.since.map(|at| at.as_nanos() / 1_000_000_000 % 86_400)))
    }

    #[test]
    fn a_state_comes_with_the_time_since_when_it_is_so() {
        let eight = Some(8 * 3600);
        assert_eq!(state("running", ""), Ok((Power::On, eight)));
        assert_eq!(state("pending", ""), Ok((Power::Booting, eight)));
        assert_eq!(state("stopping", ""), Ok((Power::Stopping, None)));
        let reason = "User initiated (2026-03-02 09:30:01 GMT)";
        assert_eq!(state("stopped", reason), Ok((Power::Off, Some(9 * 3600 + 1801))));
        assert_eq!(state("stopped", "Server.SpotInstanceTermination"), Ok((Power::Off, None)));
        assert!(state("terminated", "").unwrap_err().contains("neither on nor off"));
        let none = told(&[], "i-9").map_err(|why| why.what);
        assert_eq!(none, Err("EC2 knows no `i-9`".to_owned()));
    }

    #[test]
    fn what_went_wrong_is_told_in_plain_words() {
        for (status, code, failure, what) in [
            (500, "InsufficientInstanceCapacity", Failure::OutOfCapacity, "no machine to give"),
            (400, "VcpuLimitExceeded", Failure::OutOfCapacity, "no more machines"),
            (503, "RequestLimitExceeded", Failure::RateLimited, "asked too often"),
            (401, "AuthFailure", Failure::Refused, "does not accept the access key"),
            (403, "UnauthorizedOperation", Failure::Refused, "no right to this"),
            (400, "IncorrectInstanceState", Failure::Refused, "at something else"),
            (503, "Unavailable", Failure::Unreachable, "is not there"),
            (500, "InternalError", Failure::Refused, "EC2 broke"),
            (400, "InvalidInstanceID.NotFound", Failure::Refused, "refuses it"),
        ] {
            let body = format!(
                "<?xml version=\"1.0\"?><Response><Errors><Error><Code>{code}</Code>\
                 <Message>so it is</Message></Error></Errors><RequestID>1</RequestID></Response>"
            );
            let why = refusal(StatusCode::from_u16(status).unwrap(), &body);
            assert_eq!(why.failure, failure, "{why}");
            assert!(why.what.contains(what) && why.what.contains("so it is"), "{why}");
        }
        let none = refusal(StatusCode::BAD_GATEWAY, "<html>");
        assert_eq!(none.failure, Failure::Unreachable);
    }

    const REFUSED: &str = "<?xml version=\"1.0\"?><Response><Errors><Error><Code>AuthFailure</Code>\
                           <Message>so it is</Message></Error></Errors></Response>";

    proptest! {
        #![proptest_config(config(5_000))]

        #[test]
        fn any_answer_is_read_or_refused(
            text in prop_oneof![
                texts(&[&described("stopped", "User initiated (2026-03-02 09:30:01 GMT)")]),
                texts(&[REFUSED]),
                "(<(/?(item|reservationSet|instancesSet|Error|Code))?/?>?|[a-z&;])*",
            ],
            status in 300_u16..600,
            reason in ".*",
        ) {
            match instances(&text) {
                Ok(all) => if let Err(why) = super::told(&all, "i-1") {
                    prop_assert!(why.what.contains("i-1"), "{why}");
                },
                Err(why) => prop_assert!(why.what.starts_with("EC2"), "{why}"),
            }
            let refused = refusal(StatusCode::from_u16(status).unwrap(), &text);
            prop_assert!(refused.what.contains(&format!("({status})")), "{refused}");
            prop_assert!(!refused.what.contains(char::is_control), "{refused}");
            let _ = moment(&reason);
            let told = described("stopped", &reason);
            if let Ok(all) = instances(&told) {
                let _ = super::told(&all, "i-1");
            }
        }
    }
}
