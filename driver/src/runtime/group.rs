//! One group's task: input, step, journal, commands.

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use serde_json::to_writer;
use tidegate_core::journal::Line;
use tidegate_core::{
    Command, Controller, Decision, Input, Observation, ServerId, Span, Step, Timestamp,
};
use tokio::sync::{mpsc, oneshot, watch as signal};

use super::handle::{Message, Request, Status};
use super::hands::{Ended, Hands};
use super::recover::{TakenUp, take_up};
use super::watch::Watch;
use super::{Event, Fault, Group, Setup};
use crate::ports::Ports;
use crate::store::{Asked, Checkpoint, Record, StoreError};

/// Lines between two checkpoints.
pub(crate) const CHECKPOINT_EVERY: u64 = 64;

/// A group that is hosted.
pub(super) struct Member {
    setup: Setup,
    term: u32,
    name: String,
    ports: Ports,
    controller: Controller,
    /// The number of the last line.
    number: u64,
    /// The decision of the last line.
    last: Option<Decision>,
    wake_at: Option<Timestamp>,
    /// When the controller was last stepped.
    stepped: Timestamp,
    /// What to step with before anything else.
    first: Vec<Input>,
    watch: Watch,
    hands: Hands,
    attempts: FuturesUnordered<BoxFuture<'static, Option<Ended>>>,
    messages: mpsc::Receiver<Message>,
    stopped: signal::Receiver<bool>,
}

/// What happens next.
enum Next {
    Input(Input),
    Asked(Request),
    Status(oneshot::Sender<Status>),
}

impl Member {
    /// Takes the group up. Its first look is `phase` from now.
    pub async fn begin(
        setup: Setup,
        term: u32,
        phase: Span,
        group: Group,
        messages: mpsc::Receiver<Message>,
        stopped: signal::Receiver<bool>,
    ) -> Result<Self, Fault> {
        let Group { name, config, ports } = group;
        let now = setup.clock.now();
        let servers = config.standbys + 1;
        ports.alerts.begin();
        let taken = take_up(&*setup.store, term, &name, config, now).await?;
        let TakenUp { controller, number, last, first } = taken;
        setup.listener.tell(now, &name, &Event::TakenUp { lines: number });
        Ok(Self {
            watch: Watch::new(servers, now + phase),
            hands: Hands::new(&setup, term, name.clone(), ports.clone()),
            attempts: FuturesUnordered::new(),
            wake_at: None,
            stepped: now,
            setup,
            term,
            name,
            ports,
            controller,
            number,
            last,
            first,
            messages,
            stopped,
        })
    }

    /// Goes on until it is stopped.
    pub async fn run(mut self) -> Result<(), Fault> {
        for input in std::mem::take(&mut self.first) {
            self.step(input, None).await?;
        }
        while let Some(next) = self.next().await {
            match next {
                Next::Input(input) => drop(self.step(input, None).await?),
                Next::Status(answer) => drop(answer.send(self.status())),
                Next::Asked(Request { who, what, answer }) => {
                    let decision = self.step(Input::Request(what), Some(who)).await?;
                    // Whoever asked may be gone by now.
                    let _unheard = answer.send(decision);
                }
            }
        }
        let checkpoint = self.checkpoint(self.setup.clock.now());
        let stored = self.setup.store.checkpoint(self.term, &self.name, checkpoint).await;
        stored.map_err(|why| self.failed(why))
    }

    /// What happens next; nothing once the host is to stop.
    async fn next(&mut self) -> Option<Next> {
        loop {
            let moving = self.controller.moving() > 0;
            let wake = self.setup.clock.sleep_until(self.wake_at.unwrap_or(Timestamp::MAX));
            let (setup, controller) = (&self.setup, &self.controller);
            let look = self.watch.next(setup, &self.name, &self.ports, controller, moving);
            tokio::select! {
                biased;
                _ = self.stopped.wait_for(|stop| *stop) => return None,
                Some(ended) = self.attempts.next(), if !self.attempts.is_empty() => {
                    let Some(Ended { id, outcome }) = ended else { continue };
                    return Some(Next::Input(Input::Complete { id, outcome }));
                }
                Some(message) = self.messages.recv() => match message {
                    Message::Request(request) => return Some(Next::Asked(request)),
                    Message::Status(answer) => return Some(Next::Status(answer)),
                },
                alerts = self.ports.alerts.next() => {
                    let seen = Observation { servers: Vec::new(), alerts };
                    return Some(Next::Input(Input::Observe(seen)));
                }
                seen = look => return Some(Next::Input(Input::Observe(seen))),
                () = wake => return Some(Next::Input(Input::Wake)),
            }
        }
    }

    /// Steps the controller and stores the line; what it asks for is carried out only then.
    async fn step(&mut self, input: Input, who: Option<String>) -> Result<Decision, Fault> {
        let now = self.setup.clock.now();
        let first = (self.number == 0).then(|| Box::new(self.checkpoint(now)));
        let step = self.controller.step(now, input.clone());
        let line = self.line(now, &input, &step)?;
        (self.number, self.last, self.wake_at) =
            (self.number + 1, Some(step.decision), step.wake_at);
        self.stepped = now;
        let due = self.number.is_multiple_of(CHECKPOINT_EVERY);
        let checkpoint = first.or_else(|| due.then(|| Box::new(self.checkpoint(now))));
        let (notes, asked) = (self.watch.take_notes(), asked(now, &input, who));
        let record =
            Record { number: self.number, at: now, line, notes, checkpoint, asked: asked.clone() };
        let stored = self.setup.store.append(self.term, &self.name, record).await;
        stored.map_err(|why| self.failed(why))?;
        if let Some(Asked { who, request, .. }) = &asked {
            self.setup.listener.tell(now, &self.name, &Event::Asked { who, request });
        }
        let event = Event::Stepped { input: &input, step: &step };
        self.setup.listener.tell(now, &self.name, &event);
        let decision = step.decision;
        for command in step.commands {
            self.carry_out(command);
        }
        Ok(decision)
    }

    fn status(&mut self) -> Status {
        let servers = (0..=self.controller.config().standbys).map(ServerId);
        Status {
            at: self.stepped,
            line: self.number,
            stages: servers.map(|server| (server, self.controller.stage(server))).collect(),
            decision: self.last,
            demands: self.controller.demanded(self.stepped),
            paused_until: self.controller.paused_until(),
        }
    }

    fn line(&self, now: Timestamp, input: &Input, step: &Step) -> Result<Vec<u8>, Fault> {
        let mut line = Vec::new();
        let written = to_writer(&mut line, &Line::after(self.last.as_ref(), now, input, step));
        written.map_err(|why| self.failed(StoreError::Broken(why.to_string())))?;
        line.push(b'\n');
        Ok(line)
    }

    fn checkpoint(&self, at: Timestamp) -> Checkpoint {
        let (number, last) = (self.number, self.last);
        Checkpoint { number, at, snapshot: self.controller.snapshot(), last }
    }

    fn failed(&self, source: StoreError) -> Fault {
        Fault::Store { group: self.name.clone(), source }
    }

    fn carry_out(&self, command: Command) {
        self.attempts.push(Box::pin(self.hands.clone().attempt(command)));
    }
}

/// What is to be kept of a person's request.
fn asked(at: Timestamp, input: &Input, who: Option<String>) -> Option<Asked> {
    let (Input::Request(request), Some(who)) = (input, who) else { return None };
    Some(Asked { at, who, request: request.clone() })
}
