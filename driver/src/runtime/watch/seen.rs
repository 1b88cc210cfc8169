//! What was answered since the last observation, put together by server.

use tidegate_core::{Dated, Health, Observation, Power, ServerId, ServerView};

use crate::ports::{Checks, PowerState, Routing, Usage, Workers};

/// What a port answered.
#[derive(Debug)]
pub(super) enum Answer {
    Power(Vec<PowerState>),
    Routing(Vec<Routing>),
    Usage(Vec<Usage>),
    Workers(Vec<Workers>),
    Checks(ServerId, Checks),
}

#[derive(Clone, Copy, Debug)]
struct One {
    view: ServerView,
    checks: Option<Checks>,
    /// The provider's last word, kept from one observation to the next.
    power: Option<Power>,
}

impl One {
    const fn new(server: ServerId) -> Self {
        Self { view: ServerView::unknown(server), checks: None, power: None }
    }

    fn check(&mut self, Checks { good, bad, at }: Checks) {
        let known = self.checks.unwrap_or(Checks::unknown(at));
        let at = if known.at.as_nanos() < at.as_nanos() { known.at } else { at };
        self.checks = Some(Checks { good: known.good.with(good), bad: known.bad.with(bad), at });
    }

    /// Its health, if what is known suffices to tell: all parts are good, or one is bad. A machine
    /// that is not on has none.
    fn health(&self) -> Option<Dated<Health>> {
        let Checks { good, bad, at } = self.checks?;
        let off = self.view.power.is_some_and(|power| power.value != Power::On);
        let told = good.has(Health::ALL) || bad != Health::NONE;
        (told && !off).then(|| Dated::new(good.without(bad), at))
    }

    fn is_unknown(&self) -> bool {
        self.view == ServerView::unknown(self.view.server)
    }
}

/// The servers of a group, as far as they were seen.
#[derive(Debug)]
pub(super) struct Seen(Vec<One>);

impl Seen {
    pub fn new(servers: u16) -> Self {
        Self((0..servers).map(|id| One::new(ServerId(id))).collect())
    }

    /// Whether the provider last said that the machine is on.
    pub fn runs(&self, server: ServerId) -> bool {
        self.0.get(server.index()).is_some_and(|one| one.power == Some(Power::On))
    }

    pub fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Power(states) => self.each(
                states,
                |state| state.server,
                |one, state| {
                    one.view.power = Some(state.power);
                    one.power = Some(state.power.value);
                },
            ),
            Answer::Routing(states) => self.each(
                states,
                |state| state.server,
                |one, state| {
                    one.view.routed = state.routed;
                    one.view.in_flight = state.in_flight;
                },
            ),
            Answer::Usage(usages) => self.each(
                usages,
                |usage| usage.server,
                |one, usage| {
                    one.view.cpu = usage.cpu;
                    one.view.memory = usage.memory;
                },
            ),
            Answer::Workers(workers) => self.each(
                workers,
                |own| own.server,
                |one, own| {
                    one.view.jobs = own.busy;
                    if let Some(Dated { value, at }) = own.registered {
                        one.check(Checks::unknown(at).with(Health::WORKERS, value));
                    }
                },
            ),
            Answer::Checks(server, checks) => {
                self.each([checks], |_| server, |one, checks| one.check(*checks));
            }
        }
    }

    /// Gives each answer to the server that it is about. One about no server of the group is none.
    fn each<T>(
        &mut self,
        answers: impl IntoIterator<Item = T>,
        server: impl Fn(&T) -> ServerId,
        give: impl Fn(&mut One, &T),
    ) {
        for answer in answers {
            if let Some(one) = self.0.get_mut(server(&answer).index()) {
                give(one, &answer);
            }
        }
    }

    /// What was seen since the last time this was called.
    pub fn observation(&mut self) -> Observation {
        let mut servers = Vec::with_capacity(self.0.len());
        for one in &mut self.0 {
            one.view.health = one.health();
            if !one.is_unknown() {
                servers.push(one.view);
            }
            one.view = ServerView::unknown(one.view.server);
            one.checks = None;
        }
        Observation { servers, alerts: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::Timestamp;

    use super::*;

    const SERVER: ServerId = ServerId(1);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    fn checks(good: Health, bad: Health, seconds: i64) -> Answer {
        Answer::Checks(SERVER, Checks { good, bad, at: at(seconds) })
    }

    fn workers(registered: bool) -> Answer {
        let registered = Some(Dated::new(registered, at(3)));
        Answer::Workers(vec![Workers { server: SERVER, registered, busy: None }])
    }

    fn health(answers: Vec<Answer>) -> Option<Dated<Health>> {
        let mut seen = Seen::new(2);
        for answer in answers {
            seen.take(answer);
        }
        seen.observation().of(SERVER).and_then(|view| view.health)
    }

    const OWN: Health = Health::BENCHES.with(Health::SERVICES);
    const SHARED: Health = Health::STORAGE.with(Health::REDIS);

    #[test]
    fn health_is_told_once_every_part_answered_or_one_is_bad() {
        let own = || checks(OWN, Health::NONE, 2);
        let shared = || checks(SHARED, Health::NONE, 1);
        assert_eq!(health(vec![own(), shared()]), None, "the workers are unknown");
        let all = health(vec![own(), shared(), workers(true)]);
        assert_eq!(all, Some(Dated::new(Health::ALL, at(1))), "as old as its oldest part");
        let unregistered = health(vec![own(), workers(false)]);
        assert_eq!(unregistered, Some(Dated::new(OWN, at(2))));
        let torn = health(vec![checks(OWN, Health::BENCHES, 2)]);
        assert_eq!(torn, Some(Dated::new(Health::SERVICES, at(2))), "good and bad is bad");
    }

    #[test]
    fn a_machine_that_is_not_on_has_no_health() {
        let booting = PowerState { server: SERVER, power: Dated::new(Power::Booting, at(3)) };
        let bad = checks(Health::NONE, OWN, 2);
        assert_eq!(health(vec![bad, Answer::Power(vec![booting])]), None);
    }

    #[test]
    fn what_was_not_answered_is_unknown_and_not_what_it_was_before() {
        let mut seen = Seen::new(2);
        let on = PowerState { server: SERVER, power: Dated::new(Power::On, at(1)) };
        seen.take(Answer::Power(vec![on]));
        assert_eq!(seen.observation().servers.len(), 1);
        assert_eq!(seen.observation(), Observation::default());
        assert!(seen.runs(SERVER));
        let stranger = PowerState { server: ServerId(9), power: Dated::new(Power::On, at(2)) };
        seen.take(Answer::Power(vec![stranger]));
        assert_eq!(seen.observation(), Observation::default());
    }
}
