//! A `PostgreSQL` of a test's own, in a folder, on a Unix socket or with TLS.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// What the user of the databases shows.
pub const PASSWORD: &str = "hunter2";

/// A server, stopped and removed with the test.
pub struct Server {
    pub folder: PathBuf,
    child: Option<Child>,
    /// Where it listens besides its socket, with TLS for those who want it.
    pub port: Option<u16>,
}

impl Server {
    /// Makes a database and starts a server. It may not answer yet.
    ///
    /// # Panics
    /// If it is not installed.
    pub fn start() -> Self {
        let mut server = Self::made();
        server.up();
        server
    }

    /// Makes a database, without a server.
    ///
    /// # Panics
    /// If it is not installed.
    pub fn made() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tidegate-pg-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        // The server runs as another user.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        let server = Self { folder, child: None, port: None };
        let password = server.folder.join("password");
        fs::write(&password, PASSWORD).unwrap();
        let (data, password) = (server.data(), password.display().to_string());
        let made = unprivileged(&programs().join("initdb"))
            .args(["--no-sync", "--username", "tidegate", "--auth", "scram-sha-256"])
            .args(["--encoding", "UTF8", "--locale", "C.UTF-8"])
            .args(["--pwfile", &password, "--pgdata", &data])
            .stdout(Stdio::null())
            .status();
        assert!(made.is_ok_and(|status| status.success()), "failed to make a database");
        server
    }

    /// Starts it again.
    pub fn up(&mut self) {
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let socket = self.folder.display().to_string();
        let listen = match self.port {
            Some(port) => format!("-c listen_addresses=127.0.0.1 -p {port} -l"),
            None => "-c listen_addresses=".to_owned(),
        };
        let tls = ["cert", "key"].map(|what| {
            let name = if what == "key" { "own.key" } else { "own" };
            format!("--ssl_{what}_file={socket}/{name}")
        });
        let child = unprivileged(&programs().join("postgres"))
            .args(["-D", &self.data(), "-k", &socket, "-c", "fsync=off"])
            .args(listen.split_whitespace())
            .args(tls)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap());
    }

    /// Ends it at once, as a crash would.
    pub fn down(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let _sent = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
        let _ended = child.wait();
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://tidegate@{folder}/postgres")
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.down();
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

/// A program as a user other than root, whom the server refuses.
pub fn unprivileged(program: &Path) -> Command {
    let is_root = fs::metadata("/proc/self")
        .is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0);
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--"]);
    command.arg(program);
    command
}

/// Debian has a folder for each major version.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).max();
    newest
        .filter(|path: &PathBuf| Path::exists(path))
        .unwrap_or_else(|| panic!("`postgresql` is not installed: `cargo xtask test` installs it"))
}
