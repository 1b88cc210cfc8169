//! Whether EC2 accepts the access key, has the instances, and would start and stop them.

use tidegate_core::{Failure, ServerId};

use super::{Ec2, Ec2Cloud};
use crate::adapters::cloud::Cloud;
use crate::doctor::Finding;
use crate::ports::PortError;

const PART: &str = "provider";

impl Ec2 {
    /// What EC2 says of each instance, and of an order that it is asked not to carry out.
    pub(crate) async fn examine(&self) -> Vec<Finding> {
        let cloud = self.cloud();
        let mut findings: Vec<Finding> = Vec::new();
        for (told, id) in cloud.look().await.into_iter().zip(0..) {
            let server = ServerId(id);
            let name = cloud.name(server).unwrap_or_default();
            let finding = match told {
                Ok(_) => Finding::ok(PART, format!("{server} is `{name}`")),
                Err(why) => Finding::missing(PART, why.what.clone(), advice(&why)),
            };
            if !findings.contains(&finding) {
                findings.push(finding);
            }
            if !server.is_primary() {
                findings.extend(cloud.rights(name).await);
            }
        }
        findings
    }
}

impl Ec2Cloud {
    /// Whether the key may start and stop an instance: a dry run changes nothing.
    async fn rights(&self, name: &str) -> Option<Finding> {
        for action in ["StartInstances", "StopInstances"] {
            let form = [("InstanceId.1".to_owned(), name), ("DryRun".to_owned(), "true")];
            let Err(why) = self.link.ask(action, &form).await else { continue };
            if why.what.contains("UnauthorizedOperation") {
                let found = format!("{action} of `{name}`: {why}");
                let advice = "allow `ec2:StartInstances` and `ec2:StopInstances` for it";
                return Some(Finding::missing(PART, found, advice));
            }
        }
        None
    }
}

fn advice(why: &PortError) -> &'static str {
    let has = |text: &str| why.what.contains(text);
    match why.failure {
        Failure::Refused if has("knows no") => {
            "see in which region it is, and correct `ec2.servers` and `ec2.region`"
        }
        Failure::Refused if has("neither on nor off") => "name an instance that was not terminated",
        Failure::Refused if has("access key") => {
            "give a key that may `ec2:DescribeInstances`, and see whether this clock is right"
        }
        Failure::Refused if has("role") => {
            "give the instance on which this runs a role, or `ec2.keys`"
        }
        Failure::RateLimited => "look less often, by `look.every`",
        Failure::Unreachable
        | Failure::TimedOut
        | Failure::Refused
        | Failure::OutOfCapacity
        | Failure::Fenced => "see whether EC2 can be reached from here, and what it says of itself",
    }
}
