//! People who wait for answers: an examination's population.

use tidegate_core::fact::FactSink;

use crate::chance::{Draws, stream, uniform};
use crate::model::Exam;

use super::{Event, World};

/// One person of a population.
#[derive(Clone, Copy, Debug)]
struct Person {
    submits_at: u64,
    tries: u8,
    stage: Stage,
    /// The server that answered first, or [`u16::MAX`].
    bound: u16,
}

/// What a person does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    LogIn,
    Work,
    Submit,
    Done,
}

/// A population and its habits.
#[derive(Debug)]
pub(super) struct People {
    exam: Exam,
    persons: Vec<Person>,
    logins: Vec<u64>,
    think: Draws,
}

impl People {
    pub fn new(exam: Exam, seed: u64, load: usize) -> Self {
        let mut rng = stream(seed, &format!("exam/{load}/people"));
        let mut within =
            |span: tidegate_core::Span| (uniform(&mut rng) * span.as_nanos() as f64) as u64;
        let opens = exam.opens.as_nanos().cast_unsigned();
        let ends = opens + exam.length.as_nanos().cast_unsigned();
        let (mut logins, mut persons) = (Vec::new(), Vec::new());
        for _ in 0..exam.users {
            logins.push(opens + within(exam.login_within));
            let submits_at = ends - within(exam.submit_within).min(ends - opens);
            persons.push(Person { submits_at, tries: 0, stage: Stage::LogIn, bound: u16::MAX });
        }
        let think = Draws::new(&exam.think, seed, &format!("exam/{load}/think"));
        Self { exam, persons, logins, think }
    }
}

impl<S: FactSink> World<S> {
    pub(super) fn open_people(&mut self) {
        let mut index = 0;
        for load in 0..self.people.len() {
            for login in std::mem::take(&mut self.people[load].logins) {
                self.at(login, Event::Person, index);
                index += 1;
            }
        }
    }

    /// The load and the position in it of person `index`.
    fn find(&self, index: u32) -> (usize, usize) {
        let mut rest = index as usize;
        for (load, people) in self.people.iter().enumerate() {
            if rest < people.persons.len() {
                return (load, rest);
            }
            rest -= people.persons.len();
        }
        (0, 0)
    }

    /// A person sends a request.
    pub(super) fn person(&mut self, index: u32) {
        let (load, position) = self.find(index);
        let people = &self.people[load];
        let class = match people.persons[position].stage {
            Stage::LogIn => people.exam.login,
            Stage::Work => people.exam.work,
            Stage::Submit => people.exam.submit,
            Stage::Done => return,
        };
        self.arrive(class as u16, index);
    }

    /// With sticky sessions, the server that answered this person first, as long as it receives
    /// traffic.
    pub(super) fn bound(&mut self, index: u32) -> Option<usize> {
        if !self.model.proxy.sticky {
            return None;
        }
        let (load, position) = self.find(index);
        let bound = &mut self.people[load].persons[position].bound;
        let server = usize::from(*bound);
        if !self.servers.get(server)?.receives {
            *bound = u16::MAX;
            return None;
        }
        Some(server)
    }

    /// With sticky sessions, a person who is bound to no server stays with the one that answered.
    pub(super) fn bind(&mut self, index: u32, server: u16) {
        if !self.model.proxy.sticky {
            return;
        }
        let (load, position) = self.find(index);
        let bound = &mut self.people[load].persons[position].bound;
        if *bound == u16::MAX {
            *bound = server;
        }
    }

    /// A person has got an answer, or an error.
    pub(super) fn answered(&mut self, index: u32, served: bool) {
        let (load, position) = self.find(index);
        let now = self.now;
        let people = &mut self.people[load];
        let person = &mut people.persons[position];
        let wait = if served {
            person.tries = 0;
            let next = now + people.think.draw();
            person.stage = match person.stage {
                Stage::LogIn | Stage::Work if next >= person.submits_at => Stage::Submit,
                Stage::LogIn | Stage::Work => Stage::Work,
                Stage::Submit | Stage::Done => Stage::Done,
            };
            if person.stage == Stage::Submit { person.submits_at.max(now) } else { next }
        } else if person.tries < people.exam.retries {
            person.tries += 1;
            let backoff = people.exam.backoff.as_nanos().cast_unsigned();
            now + (backoff << (person.tries - 1).min(16))
        } else {
            person.stage = Stage::Done;
            return;
        };
        if person.stage != Stage::Done {
            self.at(wait, Event::Person, index);
        }
    }
}
