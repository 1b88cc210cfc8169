//! A Redis with a password and RQ workers of one version.

use std::path::{Path, PathBuf};
use std::process::Command;

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, cmd};
use tidegate_core::Span;
use tidegate_driver::adapters::rq::{Rq, RqConfig, ServerWorkers};
use tidegate_driver::adapters::{RedisConfig, SecretSource};

use crate::support::{Folder, Running, clock, eventually, free_port};

pub const PASSWORD: &str = "open-sesame";

/// RQ before and after jobs had executions of their own, and since workers no longer name theirs.
#[derive(Clone, Copy, Debug)]
pub enum Version {
    V1,
    V2,
    V3,
}

impl Version {
    fn program(self, name: &str) -> PathBuf {
        let folder = match self {
            Self::V1 => "rq-1.16",
            Self::V2 => "rq-2.12",
            Self::V3 => "rq-3.0",
        };
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python");
        target.join(folder).join("bin").join(name)
    }
}

pub struct Stack {
    version: Version,
    pub folder: Folder,
    port: u16,
    redis: Option<Running>,
    workers: Vec<Running>,
}

impl Stack {
    pub async fn start(version: Version) -> Self {
        let folder = Folder::new();
        folder.write("work.py", include_str!("work.py"));
        folder.write("password", &format!("{PASSWORD}\n"));
        let mut stack =
            Self { version, folder, port: free_port(), redis: None, workers: Vec::new() };
        stack.run_redis().await;
        stack
    }

    pub async fn run_redis(&mut self) {
        let port = self.port.to_string();
        let folder = self.folder.path("");
        let arguments = ["--port", &port, "--bind", "127.0.0.1", "--requirepass", PASSWORD];
        let place = ["--save", "", "--dir", folder.to_str().unwrap()];
        let log = self.folder.path("redis.log");
        self.redis = Some(Running::start("redis-server", &[&arguments[..], &place].concat(), &log));
        eventually("Redis answers", async || self.connect().await).await;
    }

    pub fn stop_redis(&mut self) {
        self.redis = None;
    }

    fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}/0", self.port)
    }

    async fn connect(&self) -> Option<MultiplexedConnection> {
        let client = redis::Client::open(self.url()).unwrap();
        client.get_multiplexed_async_connection().await.ok()
    }

    pub async fn redis<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut connection = self.connect().await.unwrap();
        cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await.unwrap()
    }

    /// Waits until a list or set has so many members.
    pub async fn has(&self, count: &str, key: &str, members: usize) {
        eventually(key, async || {
            (self.redis::<usize>(&[count, key]).await == members).then_some(())
        })
        .await;
    }

    /// Puts jobs into a queue.
    pub fn enqueue(&self, queue: &str, numbers: std::ops::Range<u32>) {
        let text = format!(
            "import work, rq\n\
             queue = rq.Queue('{queue}', connection=work.redis)\n\
             for number in range({}, {}): queue.enqueue('work.work', number)\n",
            numbers.start, numbers.end
        );
        let mut python = Command::new(self.version.program("python3"));
        let answer = self.place(python.args(["-c", &text])).output().unwrap();
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    }

    fn place<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.current_dir(self.folder.path("")).env("TIDEGATE_TEST_REDIS", self.url())
    }

    /// Starts a worker, which is started again after it has ended each time that there is a file of
    /// its name.
    pub async fn work(&mut self, name: &str, queues: &[&str], more: &[&str]) {
        let program = self.version.program("rq");
        assert!(program.exists(), "`cargo xtask test` installs RQ");
        let text = "while :; do\n\
                    while [ ! -e \"$1\" ]; do sleep 0.05; done; rm \"$1\"\n\
                    \"$2\" worker -q --url \"$TIDEGATE_TEST_REDIS\" -n \"$1\" $3\n\
                    done";
        let all = [more, queues].concat().join(" ");
        let mut shell = Command::new("sh");
        shell.args(["-c", text, "sh", name]).arg(&program).arg(all);
        self.folder.write(name, "");
        let log = self.folder.path(&format!("{name}.log"));
        self.workers.push(Running::command(self.place(&mut shell), &log));
        let listens = format!("rq:pubsub:{name}");
        eventually("a worker listens", async || {
            let heard: (String, u32) = self.redis(&["PUBSUB", "NUMSUB", &listens]).await;
            (heard.1 == 1).then_some(())
        })
        .await;
    }

    pub fn config(&self) -> RqConfig {
        let server = |prefix: &str, count| ServerWorkers {
            name_prefix: Some(prefix.to_owned()),
            address: Some("127.0.0.1".to_owned()),
            count,
            start: Some(vec!["touch".into(), self.folder.path("a1").display().to_string()]),
            ..ServerWorkers::default()
        };
        RqConfig {
            redis: RedisConfig {
                url: format!("redis://127.0.0.1:{}/0", self.port),
                ca: None,
                user: None,
                password: Some(SecretSource::File(self.folder.path("password"))),
            },
            group: "test".to_owned(),
            servers: vec![server("a", 1), server("b", 1)],
            put_back_after: Span::from_millis(300),
        }
    }

    pub fn adapter(&self) -> Rq {
        Rq::new(self.config(), clock()).unwrap()
    }

    /// Lets jobs end, and waits until so many have, none of them twice.
    pub async fn release(&self, jobs: usize) {
        self.redis::<()>(&["SET", "test:release", "1"]).await;
        self.has("LLEN", "test:done", jobs).await;
        let mut begun: Vec<u32> = self.redis(&["LRANGE", "test:begun", "0", "-1"]).await;
        begun.sort_unstable();
        begun.dedup();
        assert_eq!(begun.len(), self.redis::<usize>(&["LLEN", "test:begun"]).await);
    }
}
