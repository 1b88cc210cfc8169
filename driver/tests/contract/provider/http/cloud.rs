//! A cloud on loopback that behaves as Hetzner's or `DigitalOcean`'s published descriptions say. It
//! goes on by one step whenever it is asked how far something has come.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub const TOKEN: &str = "hunter2-token";

/// Whose shapes answers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Hetzner,
    DigitalOcean,
}

/// What comes in place of the next answer.
#[derive(Clone, Debug)]
pub enum Instead {
    /// This status, with these headers and this body.
    Answer(u16, &'static [(&'static str, &'static str)], String),
    /// Nothing, ever.
    Silence,
}

/// The standby's machine, and what became of it.
#[derive(Debug)]
pub struct Machine {
    /// The state that it is in, in the cloud's words.
    pub status: &'static str,
    /// The one that it goes to, and how an action's question is answered until then.
    next: Option<&'static str>,
    /// Whether it shuts itself down when it is asked to.
    pub obeys: bool,
    /// The code with which the next action ends, if it does not end well.
    pub fails: Option<&'static str>,
    /// Whether actions ever end.
    pub ends: bool,
    /// All requests.
    pub asked: Vec<String>,
    /// What comes in place of the next answers.
    pub instead: VecDeque<Instead>,
    failed: Option<&'static str>,
}

pub struct Cloud {
    pub machine: Arc<Mutex<Machine>>,
    pub port: u16,
    _serving: JoinSet<()>,
}

type Reply = Result<(StatusCode, Value), (StatusCode, &'static str)>;

impl Cloud {
    pub async fn start(shape: Shape) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let machine = Arc::new(Mutex::new(Machine {
            status: "off",
            next: None,
            obeys: true,
            fails: None,
            ends: true,
            asked: Vec::new(),
            instead: VecDeque::new(),
            failed: None,
        }));
        let state = (shape, Arc::clone(&machine));
        let router = Router::new().fallback(answer).with_state(state);
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { machine, port, _serving: serving }
    }

    /// What comes in place of the next answer that nothing comes in place of yet.
    pub fn instead(&self, instead: Instead) {
        self.machine.lock().unwrap().instead.push_back(instead);
    }

    pub fn refuses(&self, status: u16, body: &str) {
        self.instead(Instead::Answer(status, &[], body.to_owned()));
    }

    pub fn becomes(&self, status: &'static str) {
        self.machine.lock().unwrap().status = status;
    }

    /// Orders that have come, by the last part of their path or by their body.
    pub fn orders(&self) -> Vec<String> {
        let machine = self.machine.lock().unwrap();
        let orders = machine.asked.iter().filter(|asked| asked.starts_with("POST"));
        orders
            .map(|asked| asked.rsplit(['/', '"']).find(|word| word.len() > 1))
            .map(|word| word.unwrap_or_default().to_owned())
            .collect()
    }

    pub fn asked(&self) -> usize {
        self.machine.lock().unwrap().asked.len()
    }
}

async fn answer(
    State((shape, machine)): State<(Shape, Arc<Mutex<Machine>>)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let text = String::from_utf8_lossy(&body).into_owned();
    let instead = {
        let mut machine = machine.lock().unwrap();
        machine.asked.push(format!("{method} {uri} {text}").trim_end().to_owned());
        machine.instead.pop_front()
    };
    match instead {
        Some(Instead::Silence) => std::future::pending().await,
        Some(Instead::Answer(status, headers, body)) => {
            let reply = Response::builder().status(status);
            let reply =
                headers.iter().fold(reply, |reply, (name, value)| reply.header(*name, *value));
            return reply.body(body.into()).unwrap();
        }
        None => {}
    }
    let bearer = format!("Bearer {TOKEN}");
    let reply = match headers.get("authorization") {
        Some(value) if value.as_bytes() == bearer.as_bytes() => {
            machine.lock().unwrap().reply(shape, &method, uri.path(), &text)
        }
        _ => Err((StatusCode::UNAUTHORIZED, "unauthorized")),
    };
    let (status, body) = reply.unwrap_or_else(|(status, code)| (status, error(shape, code)));
    Response::builder().status(status).body(body.to_string().into()).unwrap()
}

fn error(shape: Shape, code: &str) -> Value {
    match shape {
        Shape::Hetzner => json!({ "error": { "code": code, "message": code, "details": null } }),
        Shape::DigitalOcean => json!({ "id": code, "message": code, "request_id": "4d9d8375" }),
    }
}

impl Machine {
    fn reply(&mut self, shape: Shape, method: &Method, path: &str, body: &str) -> Reply {
        let parts: Vec<_> = path.split('/').skip(1).collect();
        match (shape, method.as_str(), parts.as_slice()) {
            (Shape::Hetzner, "GET", ["v1", "servers", "4711"]) => {
                Ok((StatusCode::OK, json!({ "server": { "id": 4711, "status": "running" } })))
            }
            (Shape::Hetzner, "GET", ["v1", "servers", "4712"]) => {
                let shown = self.next.map_or(self.status, |next| match next {
                    "running" => "starting",
                    _ => "stopping",
                });
                let server = json!({ "id": 4712, "status": shown, "locked": self.next.is_some() });
                Ok((StatusCode::OK, json!({ "server": server })))
            }
            (Shape::Hetzner, "POST", ["v1", "servers", "4712", "actions", what]) => {
                let (word, next) = match *what {
                    "poweron" => ("start_server", Some("running")),
                    "shutdown" => ("shutdown_server", self.obeys.then_some("off")),
                    "poweroff" => ("stop_server", Some("off")),
                    _ => return Err((StatusCode::NOT_FOUND, "not_found")),
                };
                self.order(next, (StatusCode::LOCKED, "locked"))?;
                Ok((StatusCode::CREATED, self.action(shape, word)))
            }
            (Shape::Hetzner, "GET", ["v1", "actions", "13"])
            | (Shape::DigitalOcean, "GET", ["v2", "droplets", "3164445", "actions", "13"]) => {
                self.go_on();
                Ok((StatusCode::OK, self.action(shape, "power")))
            }
            (Shape::DigitalOcean, "GET", ["v2", "droplets", "3164444"]) => {
                Ok((StatusCode::OK, json!({ "droplet": { "id": 3_164_444, "status": "active" } })))
            }
            (Shape::DigitalOcean, "GET", ["v2", "droplets", "3164445"]) => {
                let locked = self.next.is_some();
                let droplet = json!({ "id": 3_164_445, "status": self.status, "locked": locked });
                Ok((StatusCode::OK, json!({ "droplet": droplet })))
            }
            (Shape::DigitalOcean, "POST", ["v2", "droplets", "3164445", "actions"]) => {
                let unprocessable = (StatusCode::UNPROCESSABLE_ENTITY, "unprocessable_entity");
                let body: Value = serde_json::from_str(body).map_err(|_| unprocessable)?;
                let next = match body["type"].as_str() {
                    Some("power_on") => Some("active"),
                    Some("shutdown") => self.obeys.then_some("off"),
                    Some("power_off") => Some("off"),
                    _ => return Err(unprocessable),
                };
                self.order(next, unprocessable)?;
                Ok((StatusCode::CREATED, self.action(shape, "power")))
            }
            _ => Err((StatusCode::NOT_FOUND, "not_found")),
        }
    }

    /// Takes an order up, unless another one is under way.
    fn order(
        &mut self,
        next: Option<&'static str>,
        busy: (StatusCode, &'static str),
    ) -> Result<(), (StatusCode, &'static str)> {
        if self.next.is_some() {
            return Err(busy);
        }
        self.failed = None;
        self.next = next;
        Ok(())
    }

    fn go_on(&mut self) {
        if !self.ends {
            return;
        }
        let next = self.next.take();
        self.failed = self.fails.take();
        if self.failed.is_none() {
            self.status = next.unwrap_or(self.status);
        }
    }

    fn action(&self, shape: Shape, command: &str) -> Value {
        let goes_on = self.next.is_some();
        let status = match (shape, goes_on, self.failed) {
            (Shape::Hetzner, true, _) => "running",
            (Shape::Hetzner, false, None) => "success",
            (Shape::Hetzner, false, Some(_)) => "error",
            (Shape::DigitalOcean, true, _) => "in-progress",
            (Shape::DigitalOcean, false, None) => "completed",
            (Shape::DigitalOcean, false, Some(_)) => "errored",
        };
        let error = self.failed.map(|code| json!({ "code": code, "message": "Action failed" }));
        match shape {
            Shape::Hetzner => json!({ "action": {
                "id": 13, "command": command, "status": status, "progress": 0,
                "started": "2016-01-30T23:50:00Z", "finished": null,
                "resources": [{ "id": 4712, "type": "server" }], "error": error,
            }}),
            Shape::DigitalOcean => json!({ "action": {
                "id": 13, "status": status, "type": command, "started_at": "2020-11-14T16:29:21Z",
                "completed_at": null, "resource_id": 3_164_445, "resource_type": "droplet",
                "region_slug": "nyc3",
            }}),
        }
    }
}
