//! Services behind a real sshd, with a `systemctl` that the test has scripted.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use tidegate_core::{Failure, ServerId, Span};
use tidegate_driver::adapters::rq::RqConfig;
use tidegate_driver::adapters::shared::StorageWay;
use tidegate_driver::adapters::ssh::{Ssh, SshConfig, SshServer, Unit};
use tidegate_driver::ports::{PortError, Services};

use crate::support::{Folder, Running, clock, eventually, free_port, order};

const STANDBY: ServerId = ServerId(1);

/// A unit is a file with its state. One that is `activating` is active when it is next asked for,
/// and one with a file of its own beside it fails. A hook is told what is done.
const SYSTEMCTL: &str = r#"#!/bin/sh
cd "$(dirname "$0")/units" && echo "$*" >> ../asked || exit 9
what=$1; shift
while [ "$1" != -- ]; do shift; done; shift
code=0
for unit; do
    state=$(cat "$unit" 2>/dev/null || echo inactive)
    case $what in
        start)
            if [ -e "$unit.fails" ]; then
                echo failed > "$unit"; echo "Job for $unit failed." >&2; exit 1
            fi
            [ "$state" = active ] || echo activating > "$unit" ;;
        stop) echo inactive > "$unit" ;;
        is-active)
            echo "$state"
            [ "$state" = active ] || code=3
            [ "$state" = activating ] && echo active > "$unit" ;;
        show) if [ -e "$unit" ]; then echo loaded; else echo not-found; fi ;;
    esac
done
[ ! -e ../hook ] || sh ../hook "$what"
exit "$code"
"#;

pub struct Stage {
    pub folder: Folder,
    pub config: SshConfig,
    log: std::path::PathBuf,
    _sshd: Running,
}

fn unit(name: &str) -> Unit {
    Unit::try_from(name.to_owned()).unwrap()
}

fn ran(program: &str, arguments: &[&str]) -> String {
    let ended = Command::new(program).args(arguments).output();
    let ended = ended.unwrap_or_else(|why| {
        panic!("failed to run `{program}` ({why}): `cargo xtask test` installs it")
    });
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap().trim().to_owned()
}

impl Stage {
    pub async fn start() -> Self {
        let (folder, port) = (Folder::new(), free_port());
        let path = |name: &str| folder.path(name).display().to_string();
        for name in ["host", "key"] {
            ran("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &path(name)]);
        }
        for name in ["units", "bin/units"] {
            std::fs::create_dir_all(folder.path(name)).unwrap();
        }
        let systemctl = folder.write("bin/systemctl", SYSTEMCTL);
        std::fs::set_permissions(&systemctl, PermissionsExt::from_mode(0o755)).unwrap();
        let file = folder.write(
            "sshd_config",
            &format!(
                "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\n\
                 StrictModes no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n\
                 UsePAM no\nPidFile none\nSetEnv PATH={}:/usr/bin:/bin\n",
                path("host"),
                path("key.pub"),
                path("bin"),
            ),
        );
        // Where sshd drops the rights of root to, if it has them: Debian's own service makes it.
        let _ = std::fs::create_dir_all("/run/sshd");
        let log = folder.path("sshd.log");
        let file = file.display().to_string();
        let sshd = Running::start("/usr/sbin/sshd", &["-D", "-e", "-f", &file], &log);
        let host = std::fs::read_to_string(folder.path("host.pub")).unwrap();
        let known_hosts = folder.write("known_hosts", &format!("[127.0.0.1]:{port} {host}"));
        let server = |units: &[&str], workers: &[&str]| SshServer {
            host: "127.0.0.1".to_owned(),
            port,
            units: units.iter().map(|name| unit(name)).collect(),
            workers: workers.iter().map(|name| unit(name)).collect(),
        };
        let config = SshConfig {
            user: ran("id", &["-un"]),
            sudo: false,
            identity: folder.path("key"),
            known_hosts,
            sockets: folder.path("sockets"),
            persist: Span::from_mins(1),
            connect_timeout: Span::from_secs(5),
            servers: vec![
                server(&[], &[]),
                server(&["bench.target", "web.service"], &["rq.target"]),
            ],
        };
        let stage = Self { folder, config, log, _sshd: sshd };
        eventually("sshd listens", async || stage.logged("Server listening").then_some(())).await;
        stage
    }

    fn logged(&self, words: &str) -> bool {
        self.count(words) > 0
    }

    fn count(&self, words: &str) -> usize {
        std::fs::read_to_string(&self.log).unwrap().matches(words).count()
    }

    pub fn ssh(&self) -> Ssh {
        Ssh::new(self.config.clone(), clock()).unwrap()
    }

    /// What `systemctl` was asked.
    pub fn asked(&self) -> Vec<String> {
        let asked = std::fs::read_to_string(self.folder.path("bin/asked")).unwrap_or_default();
        asked.lines().map(str::to_owned).collect()
    }

    pub fn is(&self, unit: &str, state: &str) {
        self.folder.write(&format!("bin/units/{unit}"), state);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let mut words = self.config.through(&self.config.servers[1]);
        words.splice(1..1, ["-O", "exit"].map(str::to_owned));
        let _ = Command::new(&words[0]).args(&words[1..]).output();
    }
}

impl Stage {
    /// Its servers with these units, as a configuration has them.
    pub fn table(&self, [primary, standby]: [&str; 2]) -> String {
        let Self { config, .. } = self;
        let [user, port] = [&config.user, &config.servers[1].port.to_string()];
        let [identity, known_hosts, sockets] =
            [&config.identity, &config.known_hosts, &config.sockets].map(|path| path.display());
        format!(
            "[group.ports.ssh]\nuser = \"{user}\"\nidentity = \"{identity}\"\n\
             known_hosts = \"{known_hosts}\"\nsockets = \"{sockets}\"\nservers = [\
             {{ host = \"127.0.0.1\", port = {port}, units = [{primary}] }}, \
             {{ host = \"127.0.0.1\", port = {port}, units = [{standby}] }}]\n"
        )
    }
}

fn told(result: Result<(), PortError>) -> (Failure, String) {
    let PortError { failure, what } = result.unwrap_err();
    (failure, what)
}

#[tokio::test]
async fn units_are_started_and_stopped_over_one_connection() {
    let stage = Stage::start().await;
    let ssh = stage.ssh();
    for _ in 0..2 {
        ssh.start(order(STANDBY, 1)).await.unwrap();
    }
    for _ in 0..2 {
        ssh.stop(order(STANDBY, 2)).await.unwrap();
    }
    let asked = stage.asked();
    assert_eq!(asked[0], "start -- bench.target web.service");
    let looks = asked.iter().filter(|asked| asked.starts_with("is-active -- bench.target"));
    assert_eq!(looks.count(), 5, "it was on its way once: {asked:?}");
    assert_eq!(asked.iter().filter(|asked| asked.starts_with("stop -- ")).count(), 2);
    assert_eq!(stage.count("Accepted publickey"), 1);
    ssh.start(order(ServerId::PRIMARY, 3)).await.unwrap();
    assert_eq!(stage.asked().len(), asked.len(), "it has no units");
    assert_eq!(told(ssh.start(order(ServerId(9), 4)).await).0, Failure::Refused);
}

#[tokio::test]
async fn a_unit_that_fails_is_told_from_a_server_that_is_not_reached() {
    let stage = Stage::start().await;
    let ssh = stage.ssh();
    stage.is("web.service.fails", "");
    let (failure, what) = told(ssh.start(order(STANDBY, 1)).await);
    assert_eq!(failure, Failure::Refused);
    assert!(what.ends_with("exit status: 1: Job for web.service failed."), "{what}");
    let mut config = stage.config.clone();
    config.servers[1].port = free_port();
    let away = Ssh::new(config, clock()).unwrap();
    let (failure, what) = told(away.start(order(STANDBY, 1)).await);
    assert_eq!(failure, Failure::Unreachable);
    assert!(what.contains("Connection refused"), "{what}");
}

#[tokio::test]
async fn a_server_whose_key_is_not_known_is_not_spoken_to() {
    let stage = Stage::start().await;
    let mut config = stage.config.clone();
    let other = std::fs::read_to_string(stage.folder.path("key.pub")).unwrap();
    let port = config.servers[1].port;
    config.known_hosts = stage.folder.write("others", &format!("[127.0.0.1]:{port} {other}"));
    for hosts in ["others", "none"] {
        config.known_hosts = stage.folder.path(hosts);
        let stranger = Ssh::new(config.clone(), clock()).unwrap();
        let (failure, what) = told(stranger.stop(order(STANDBY, 1)).await);
        assert_eq!(failure, Failure::Unreachable);
        assert!(what.contains("Host key verification failed"), "{what}");
    }
    assert_eq!(stage.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn what_systemd_does_not_say_is_no_state() {
    let stage = Stage::start().await;
    let ssh = stage.ssh();
    stage.is("bench.target", "refreshed");
    let (failure, what) = told(ssh.stop(order(STANDBY, 1)).await.and(Err(PortError::refused(""))));
    assert_eq!((failure, &*what), (Failure::Refused, ""), "stopped, it is inactive");
    stage.folder.write("bin/systemctl", "#!/bin/sh\necho busy\n");
    let (failure, what) = told(ssh.start(order(STANDBY, 2)).await);
    assert_eq!(failure, Failure::Refused);
    assert!(what.contains("answers something else: busy"), "{what}");
}

#[tokio::test]
async fn workers_without_commands_are_told_to_stop_without_waiting_and_started() {
    let stage = Stage::start().await;
    let _folder = stage.ssh();
    let rq = "redis = { url = \"redis://127.0.0.1/0\" }\ngroup = \"a\"\n\
        servers = [{ address = \"a\", count = 0 }, { address = \"b\", count = 1 }]\n";
    let rq: RqConfig = toml::from_str(rq).unwrap();
    let rq = stage.config.workers(rq);
    assert_eq!((&rq.servers[0].stop, &rq.servers[0].start), (&None, &None));
    for command in [rq.servers[1].stop.clone(), rq.servers[1].start.clone()] {
        let words = command.unwrap();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        ran(words[0], &words[1..]);
    }
    assert_eq!(stage.asked(), ["stop --no-block -- rq.target", "start -- rq.target"]);
}

#[tokio::test]
async fn a_storage_without_a_way_of_its_own_is_reached_over_the_same_connection() {
    let stage = Stage::start().await;
    let _folder = stage.ssh();
    let redis = "redis = { url = \"redis://127.0.0.1/0\" }";
    let way = format!("{{ {redis}, storage = {{ folder = \"/srv\" }} }}");
    let shared = format!("group = \"a\"\nservers = [{way}, {way}]\n");
    let shared = stage.config.storage(toml::from_str(&shared).unwrap());
    let StorageWay::There(there) = &shared.servers[1].storage else { panic!("{shared:?}") };
    let words: Vec<_> = there.through.iter().map(String::as_str).chain(["echo", "there"]).collect();
    assert_eq!(ran(words[0], &words[1..]), "there");
}
