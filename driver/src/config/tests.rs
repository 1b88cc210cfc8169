//! What a configuration may say, and how a mistake is shown.

use super::*;

const GROUP: &str = "[[group]]\nname = \"a\"\nports = { kind = \"fake\", boot = \"2s\" }\n";

const NGINX: &str = "[group.ports.nginx]\nfile = \"/etc/nginx/tidegate/app.conf\"\n\
                     upstream = \"app\"\nservers = [\"10.0.0.1:80\", \"10.0.0.2:80\"]\n";

const ENVOY: &str = "[group.ports.envoy]\nfile = \"/etc/envoy/tidegate/app.json\"\n\
                     admin = \"http://127.0.0.1:9901\"\ncluster = \"app\"\n\
                     servers = [\"10.0.0.1:80\", \"10.0.0.2:80\"]\n";

/// The same, with this table in place of `HAProxy`'s.
fn behind(text: &str, proxy: &str) -> String {
    let (before, rest) = text.split_once("[group.ports.haproxy]\n").unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    format!("{before}{proxy}\n{after}")
}

fn refusal(text: &str) -> (String, String) {
    let ConfigError { span, message, .. } = Config::parse(text).unwrap_err();
    (message, text[span.unwrap_or(0..0)].to_owned())
}

/// The keys that a refusal of another one says were expected.
fn expected(message: &str) -> impl Iterator<Item = &str> {
    let (_, keys) = message.split_once("expected").unwrap();
    keys.split('`').skip(1).step_by(2)
}

#[test]
fn the_configuration_that_ships_is_valid_and_its_manual_knows_every_key() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let demo = std::fs::read_to_string(docs.join("live-demo.toml")).unwrap();
    assert_eq!(Config::parse(&demo).map(|config| config.group.len()), Ok(1));
    let manual = std::fs::read_to_string(docs.join("live.md")).unwrap();
    for wrong in [
        "",
        "[store]\n",
        "[look]\n",
        "[http]\n",
        "[[group]]\n",
        "[[group]]\n[group.ports]\n",
        "[[group]]\n[group.setup]\n",
        "[[group]]\n[[group.setup.servers]]\n",
    ] {
        let wrong = format!("{wrong}wrong = 1\nname = \"a\"\nkind = \"fake\"\n");
        let message = Config::parse(&wrong).unwrap_err().message;
        for key in expected(&message) {
            assert!(manual.contains(key), "{key} of {wrong}");
        }
    }
}

#[test]
fn the_manual_knows_every_key_of_real_servers_and_lists_are_counted() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let text = std::fs::read_to_string(docs.join("live-servers.toml")).unwrap();
    let manual = std::fs::read_to_string(docs.join("live.md")).unwrap();
    assert_eq!(Config::parse(&text).map(|config| config.group.len()), Ok(1));
    let listening = format!("{text}\n[group.ports.alertmanager]\n");
    let [nginx, envoy] = [NGINX, ENVOY].map(|table| behind(&text, table));
    let others = ["prometheus", "alertmanager", "rq", "probes", "shared", "ssh", "process"];
    let tables = [(&nginx, "nginx"), (&envoy, "envoy"), (&listening, "haproxy")];
    for (text, table) in tables.into_iter().chain(others.map(|table| (&listening, table))) {
        let head = format!("[group.ports.{table}]\n");
        let wrong = text.replace(&head, &format!("{head}wrong = 1\n"));
        let message = Config::parse(&wrong).unwrap_err().message;
        for key in expected(&message) {
            assert!(manual.contains(&format!("`{key}`")), "{key} of {table}");
        }
    }
    let services = "[[group.ports.services]]\nstart = []\nstop = []\n";
    for (from, to, what) in [
        ("user = \"tidegate\"", "user = \"-oProxyCommand=x\"", "is no name of a user"),
        ("host = \"10.0.0.2\"", "host = \"a b\"", "`a b` is no name or address"),
        ("/run/tidegate/ssh", &*"/run".repeat(20), "too long a name"),
        ("/etc/tidegate/known_hosts", "/etc/%h", "that `ssh` reads anew"),
        ("[\"bench.target\"]", "[\"bench; reboot\"]", "is no name of a unit"),
        ("[group.ports.ssh]", &*format!("{services}[group.ports.ssh]"), "is told twice"),
        ("storage = \"/mnt/standby/tidegate\"", "storage = { folder = \"/mnt\" }", ""),
    ] {
        assert!(text.contains(from), "{from}");
        let message = Config::parse(&text.replace(from, to)).err().map(|why| why.message);
        assert!(message.unwrap_or_default().contains(what), "{what}");
    }
    let (message, place) = refusal(&text.replace("standbys = 1", "standbys = 2"));
    assert_eq!(message, "`haproxy` lists 2 of 3 servers");
    assert!(place.contains("haproxy"), "{place}");
    let (message, place) = refusal(&format!("{text}\n{NGINX}"));
    assert_eq!(message, "who routes requests is told twice, by `haproxy` and `nginx`");
    assert_eq!(place, "[group.ports.nginx]");
    let (message, place) = refusal(&nginx.replace("standbys = 1", "standbys = 2"));
    assert_eq!(message, "`nginx` lists 2 of 3 servers");
    assert!(place.contains("nginx"), "{place}");
    let (message, place) = refusal(&nginx.replace(NGINX, ""));
    assert_eq!(message, "who routes requests is not told");
    assert_eq!(place, "[group.ports]");
    let alerted = |text: &str| format!("policy.evidence.from = \"alerts\"\n{text}");
    let (message, _) = refusal(&alerted(&text));
    assert!(message.contains("nobody notifies alerts"), "{message}");
    let (message, place) = refusal(&alerted(&listening));
    assert!(message.contains("no notification of Alertmanager"), "{message}");
    assert!(place.contains("alertmanager"), "{place}");
    let http = format!("{}[http]\nalerts_token = {{ env = \"A\" }}\n", alerted(&listening));
    assert!(Config::parse(&http).is_ok());
}

/// The servers of the manual's example as machines of a cloud, in place of commands.
fn in_a_cloud(cloud: &str) -> String {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let read = |name: &str| std::fs::read_to_string(docs.join(name)).unwrap();
    let servers = read("live-servers.toml");
    let (before, _) = servers.split_once("[group.ports.process]").unwrap();
    format!("{before}{}", read(&format!("live-{cloud}.toml")))
}

#[test]
fn the_manual_knows_every_key_of_a_cloud_and_its_mistakes_are_shown_at_their_places() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let manual = std::fs::read_to_string(docs.join("live.md")).unwrap();
    let good = in_a_cloud("hetzner");
    for (key, table) in [
        ("", "[group.ports.http]"),
        ("states", "[group.ports.http.states]"),
        ("action", "[group.ports.http.action]"),
        ("errors", "[group.ports.http.errors]"),
    ] {
        let wrong = good.replace(&format!("{table}\n"), &format!("{table}\nwrong = 1\n"));
        let message = refusal(&wrong).0;
        for name in expected(&message) {
            assert!(manual.contains(name), "`{name}` of `{key}`");
        }
    }
    assert!(Config::parse(&in_a_cloud("digitalocean")).is_ok());
    let url = "https://api.hetzner.cloud/v1";
    for (from, to, what, at) in [
        (url, "http://api.hetzner.cloud/v1", "told secrets unencrypted", "hetzner"),
        (url, "https://me:hunter2@hetzner", "more than a host", "hetzner"),
        (url, "ftp://hetzner", "`ftp` is not spoken", "hetzner"),
        ("/servers/{server}/actions/poweron", "/{name}", "`{name}` is nothing", "\"/{name}\""),
        ("/server/status", "status", "is no place in an answer", "\"status\""),
        ("\"4712\"", "\"..\"", "`..` is no name", "4711"),
        ("\"4712\"", "", "`http` lists 1 of 2 servers", "http"),
        ("\"starting\"", "\"off\"", "`off` stands there twice", "states"),
        ("/actions/{action}", "/actions", "names no `{action}`", "action"),
        ("grace = ", "headers = { \"a b\" = \"c\" }\ngrace = ", "in the head", "a b"),
    ] {
        assert!(good.contains(from), "{from}");
        let (message, place) = refusal(&good.replace(from, to));
        assert!(message.contains(what), "{message}");
        assert!(place.contains(at), "{what}: {place}");
    }
    let local = good.replace(url, "http://127.0.0.1:8000/v1");
    assert!(Config::parse(&local).is_ok());
    let process = "[group.ports.process]\nlog = \"a\"\ngrace = \"1s\"\nservers = []\n";
    let both = format!("{good}\n{process}");
    let twice = "who starts and stops the machines is told twice, by `process` and `http`";
    assert_eq!(refusal(&both), (twice.to_owned(), "[group.ports.http]".to_owned()));
    let good = in_a_cloud("ec2");
    let wrong = good.replace("[group.ports.ec2]\n", "[group.ports.ec2]\nwrong = 1\n");
    for name in expected(&refusal(&wrong).0) {
        assert!(manual.contains(&format!("`{name}`")), "{name}");
    }
    for (from, to, what) in [
        ("eu-central-1", "eu central", "`eu central` is no region"),
        ("i-0123456789abcdef1", "standby", "`standby` is no instance"),
        ("keys =", "endpoint = \"http://10.0.0.1\"\nkeys =", "told secrets unencrypted"),
    ] {
        let (message, place) = refusal(&good.replace(from, to));
        assert!(message.contains(what) && !place.is_empty(), "{message}");
    }
}

#[test]
fn a_mistake_within_the_ports_is_shown_at_its_own_place() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let text = std::fs::read_to_string(docs.join("live-servers.toml")).unwrap();
    for (from, to, what, at) in [
        ("backend = \"app\"", "backend = 5", "integer `5`, expected a string", "5"),
        ("[\"primary\", \"standby\"]", "\"primary\"", "expected a sequence", "\"primary\""),
        ("grace = \"30s\"", "grace = \"soon\"", "`soon` is not a duration", "\"soon\""),
        ("backend = \"app\"\n", "", "missing field `backend`", "[group.ports.haproxy]"),
        ("\"10.0.0.2\", count", "\"10.0.0.2\", cout", "unknown field `cout`", "cout"),
        ("[group.ports.haproxy]", "[group.ports.haprox]", "unknown field `haprox`", "haprox"),
        ("kind = \"servers\"", "kind = \"server\"", "unknown variant `server`", "\"server\""),
        ("kind = \"servers\"", "", "missing field `kind`", "[group.ports]"),
    ] {
        assert!(text.contains(from), "{from}");
        let (message, place) = refusal(&text.replace(from, to));
        assert!(message.contains(what), "{message}");
        assert_eq!(place, at, "{message}");
    }
    let (message, place) = refusal(&GROUP.replace("\"2s\"", "2"));
    assert!(message.contains("write \"2s\" or \"2m\""), "{message}");
    assert_eq!(place, "2");
}

#[test]
fn what_is_left_out_has_defaults() {
    let config = Config::parse(GROUP).unwrap();
    assert_eq!(Limits::from(config.look), Limits::default());
    assert_eq!((config.group[0].standbys, &config.policy), (1, &Policy::default()));
}

#[test]
fn a_mistake_is_shown_at_its_place() {
    let (message, place) = refusal(&format!("colour = 1\n{GROUP}"));
    assert!(message.contains("unknown field `colour`"), "{message}");
    assert_eq!(place, "colour");
    let rule = "[[policy.up]]\nmetric = \"cpu\"\nabove = \"75%\"\n";
    let (message, place) = refusal(&format!("{rule}{GROUP}"));
    assert!(message.contains("needs a down rule"), "{message}");
    assert!(place.contains("policy.up"), "{place}");
    let (message, place) = refusal(&format!("{GROUP}policy.min_standbys = 3\n"));
    assert!(message.contains("the maximum of 1"), "{message}");
    assert_eq!(place, "3");
    let three = format!("{GROUP}setup.servers = [{{}}, {{}}, {{}}]\n");
    assert!(refusal(&three).0.contains("3 servers, which are too many"));
    let (_, place) = refusal(&format!("{GROUP}{GROUP}"));
    assert_eq!(place, "\"a\"");
    assert!(refusal("").0.contains("no group"));
}
