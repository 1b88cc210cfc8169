//! What a live host reads at its start and from Alertmanager.

use std::sync::Arc;

use tidegate_core::demand::trigger::Rule;
use tidegate_core::{Controller, Timestamp};
use tidegate_driver::adapters::alertmanager::{Inboxes, Notification};
use tidegate_driver::clock::Clock;
use tidegate_driver::config::Config;
use tidegate_driver::fakes::VirtualClock;
use tidegate_driver::rules::rule_file;
use tidegate_driver::runtime::{Deaf, Listener};

/// A live configuration. From one that is valid each group's controller is made, and the rules for
/// Prometheus; what is refused says why and where. What is absent has no place.
pub fn configuration(text: &str) {
    match Config::parse(text) {
        Ok(config) => {
            for group in &config.group {
                let _ready = Controller::new(config.scaling(group), Timestamp::default());
            }
            if let Err(why) = rule_file(&config) {
                assert!(!why.to_string().is_empty());
            }
        }
        Err(why) => {
            assert!(!why.message.is_empty());
            let placed = why.span.is_some_and(|span| text.get(span).is_some());
            assert!(placed || why.message == "there is no group", "{}\n{text}", why.message);
        }
    }
}

/// The body of a notification, sorted into the inbox of a group with two rules.
pub fn notification(body: &[u8]) {
    let config = Config::parse(NOTIFIED).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::new(Timestamp::default()));
    let listener: Arc<dyn Listener> = Arc::new(Deaf);
    let rules: Vec<Rule> = Rule::all(&config.policy).collect();
    let inboxes = Inboxes::new([("school".to_owned(), rules)], &clock, &listener);
    match Notification::read(body) {
        Ok(notification) => {
            let told = notification.alerts.len();
            if let Ok(receipts) = inboxes.put(notification) {
                assert!(receipts.len() <= told);
            }
        }
        Err(why) => {
            let why = why.to_string();
            assert!(why.starts_with("failed to read the notification: "), "{why}");
        }
    }
}

const NOTIFIED: &str = "[[policy.up]]\nmetric = \"cpu\"\nabove = \"75%\"\nfor = \"5m\"\n\
                        [[policy.down]]\nmetric = \"cpu\"\nbelow = \"30%\"\nfor = \"10m\"\n\
                        [[group]]\nname = \"school\"\nports = { kind = \"fake\" }\n";
