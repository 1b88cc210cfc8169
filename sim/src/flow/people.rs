//! An examination's population as a flow.

use crate::model::Exam;

/// Failures in a row that are told apart; those after it are taken for the last of them.
const TRIES: usize = 16;

/// People who log in, work and submit, in numbers that need not be whole.
#[derive(Debug)]
pub(crate) struct Population {
    /// Kinds of requests: login, work, submission.
    pub classes: [usize; 3],
    users: f64,
    opens: f64,
    login_within: f64,
    submits_from: f64,
    submits_until: f64,
    think: f64,
    backoff: f64,
    /// People between an answer and the next request.
    thinking: f64,
    /// Those who will try again, by kind and failures so far.
    waiting: Vec<[f64; 3]>,
    /// Those who have sent a request, by the same.
    sent: Vec<[f64; 3]>,
    /// Share of the requests of the last step that were answered within it.
    fresh: f64,
    /// Their share of all requests of a kind, and what became of them.
    share: [f64; 3],
    served: [f64; 3],
    failed: [f64; 3],
}

impl Population {
    /// Everyone is still at home.
    pub fn new(exam: &Exam) -> Self {
        let (opens, length) = (exam.opens.as_secs_f64(), exam.length.as_secs_f64());
        let retries = usize::from(exam.retries).min(TRIES);
        Self {
            classes: [exam.login, exam.work, exam.submit],
            users: f64::from(exam.users),
            opens,
            login_within: exam.login_within.as_secs_f64(),
            submits_from: opens + length - exam.submit_within.as_secs_f64().min(length),
            submits_until: opens + length,
            think: exam.think.mean_seconds().max(1e-3),
            backoff: exam.backoff.as_secs_f64().max(1e-3),
            thinking: 0.0,
            waiting: vec![[0.0; 3]; retries],
            sent: vec![[0.0; 3]; retries + 1],
            fresh: 1.0,
            share: [0.0; 3],
            served: [0.0; 3],
            failed: [0.0; 3],
        }
    }

    /// The longest step that follows them well, in seconds.
    pub fn longest_step(&self, now: f64) -> f64 {
        let begun = now >= self.opens - self.think && self.thinking + self.trying() > 1e-3;
        if begun || now < self.submits_until { self.think / 2.0 } else { f64::INFINITY }
    }

    fn trying(&self) -> f64 {
        self.waiting.iter().flatten().sum()
    }

    /// Requests of each kind that are sent between two moments.
    pub fn send(&mut self, from: f64, to: f64) -> [f64; 3] {
        let length = to - from;
        let within = |begin: f64, end: f64| {
            if end <= begin {
                return if from <= begin && begin < to { 1.0 } else { 0.0 };
            }
            (to.min(end) - from.max(begin)).max(0.0) / (end - begin)
        };
        let logins = self.users * within(self.opens, self.opens + self.login_within);
        let submits = (self.users * within(self.submits_from, self.submits_until))
            .min(self.thinking + logins * self.fresh);
        // Of those who work, most have their answer within the step and think again.
        let middle = self.thinking + (logins * self.fresh - submits) / 2.0;
        let lost = (1.0 - self.fresh) * length / (2.0 * self.think);
        let work = (length * middle.max(0.0) / self.think / (1.0 + lost)).max(0.0);
        self.sent.fill([0.0; 3]);
        self.sent[0] = [logins, work, submits];
        self.thinking -= work + submits;
        for (tries, waiting) in self.waiting.iter_mut().enumerate() {
            let delay = self.backoff * f64::from(1u32 << tries.min(16));
            let again = 1.0 - libm::exp(-length / delay);
            for (kind, waiting) in waiting.iter_mut().enumerate() {
                self.sent[tries + 1][kind] = *waiting * again;
                *waiting -= *waiting * again;
            }
        }
        let sum = |kind: usize| self.sent.iter().map(|sent| sent[kind]).sum();
        [sum(0), sum(1), sum(2)]
    }

    /// Of the requests of kind `class`, `arrived` of which `sent` were theirs, so many were
    /// answered and so many failed.
    pub fn answered(
        &mut self,
        class: usize,
        sent: &[f64; 3],
        arrived: f64,
        served: f64,
        failed: f64,
    ) {
        for (kind, &sent) in sent.iter().enumerate() {
            if self.classes[kind] != class {
                continue;
            }
            if arrived > 0.0 {
                self.share[kind] = sent / arrived;
            }
            self.served[kind] = served * self.share[kind];
            self.failed[kind] = failed * self.share[kind];
        }
    }

    /// Takes in what became of the step's requests.
    pub fn hear(&mut self) {
        let (served, failed) = (self.served, self.failed);
        self.thinking = (self.thinking + served[0] + served[1]).max(0.0);
        let (all, bad) = (served.iter().sum::<f64>(), failed.iter().sum::<f64>());
        let sent: f64 = self.sent.iter().flatten().sum();
        if sent > 1e-9 {
            self.fresh = (all / sent.max(all + bad)).min(1.0);
        }
        for (kind, &failed) in failed.iter().enumerate() {
            let sent: f64 = self.sent.iter().map(|sent| sent[kind]).sum();
            if failed <= 0.0 || sent <= 0.0 {
                continue;
            }
            for (waiting, sent_now) in self.waiting.iter_mut().zip(&self.sent) {
                waiting[kind] += failed * sent_now[kind] / sent;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dist;
    use tidegate_core::Span;

    fn exam() -> Exam {
        Exam {
            users: 1_600,
            opens: Span::from_mins(10),
            login_within: Span::from_mins(8),
            length: Span::from_mins(60),
            submit_within: Span::from_mins(10),
            think: Dist::Constant(Span::from_secs(16)),
            login: 0,
            work: 1,
            submit: 2,
            retries: 2,
            backoff: Span::from_secs(1),
        }
    }

    /// Requests sent over the whole exam, and in a second in its middle.
    fn run(share: f64) -> ([f64; 3], f64) {
        let (mut people, mut all, mut rate) = (Population::new(&exam()), [0.0; 3], 0.0);
        for second in 0..5_000 {
            let now = f64::from(second);
            let sent = people.send(now, now + 1.0);
            for (kind, &one) in sent.iter().enumerate() {
                all[kind] += one;
                people.answered(kind, &sent, one, one * share, one * (1.0 - share));
            }
            if second == 2_400 {
                rate = sent[1];
            }
            people.hear();
        }
        (all, rate)
    }

    #[test]
    fn each_person_logs_in_and_submits_once_and_works_at_the_pace_of_thought() {
        let ([logins, _, submits], rate) = run(1.0);
        assert!((logins - 1_600.0).abs() < 1e-6 && (submits - 1_600.0).abs() < 1.0, "{submits}");
        assert!((rate - 100.0).abs() < 0.5, "{rate}");
    }

    #[test]
    fn those_who_fail_try_again_and_give_up() {
        // Nobody gets an answer: one login and two more tries each.
        let ([logins, work, submits], _) = run(0.0);
        assert!((logins - 4_800.0).abs() < 1.0, "{logins}");
        // Those of the first step were taken to be answered before it was known that none is.
        assert!(work < 1.0 && submits == 0.0, "{work} {submits}");
    }
}
