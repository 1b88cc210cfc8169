//! What is to be said of all that nginx reads.

use std::path::Path;

use crate::adapters::nginx::NginxConfig;
use crate::adapters::nginx::conf::{Directive, everywhere, includes, within};
use crate::adapters::nginx::files::BEFORE;
use crate::adapters::nginx::traffic::FORMAT;
use crate::doctor::Finding;
use crate::doctor::proxy::{missing, ok, warn};

/// Whether nginx includes the upstream file, and does with requests what scaling needs.
pub(super) fn configuration(config: &NginxConfig, tree: &[Directive]) -> Vec<Finding> {
    let mut findings = declared(config, tree);
    findings.extend(beside(config, tree));
    let passes = passes(tree, &config.upstream);
    if passes.is_empty() {
        let upstream = &config.upstream;
        findings.push(warn(
            format!("no `proxy_pass` that names the upstream `{upstream}` is found"),
            format!("write `proxy_pass http://{upstream};` where the group's requests come in"),
        ));
    } else {
        findings.push(replays(&passes));
        findings.push(keep_alive(&passes));
        findings.extend(config.access_log.as_deref().map(|log| counts(log, tree, &passes)));
    }
    findings.extend(long_lived(tree));
    findings
}

/// Whether the upstream has the file's servers, and no others.
fn declared(config: &NginxConfig, tree: &[Directive]) -> Vec<Finding> {
    let (name, file) = (&config.upstream, config.file.display());
    let write = format!("write `upstream {name} {{ include {file}; }}` into its `http` block");
    let mut all = everywhere(tree).into_iter().map(|(_, one)| one);
    let Some(block) = all.find(|one| one.name() == "upstream" && one.word(1) == name) else {
        return vec![missing(format!("nginx has no upstream `{name}`"), write)];
    };
    let servers = within(&block.block).into_iter().filter(|one| one.name() == "server");
    let (ours, others): (Vec<_>, Vec<_>) =
        servers.partition(|one| config.servers.iter().any(|address| address == one.word(1)));
    let of = |address: &String| {
        let Some(server) = ours.iter().find(|one| one.word(1) == address) else {
            return Some(missing(format!("its upstream `{name}` has no `{address}`"), &*write));
        };
        let elsewhere = !is_same(&server.file, &config.file);
        elsewhere.then(|| {
            let found = format!("`{address}` stands in `{}`", server.file.display());
            missing(found, format!("move its line to `{file}`, which is included there"))
        })
    };
    let mut findings: Vec<_> = config.servers.iter().filter_map(of).collect();
    findings.extend(others.iter().map(|one| {
        let found =
            format!("its upstream `{name}` has `{}` too, which is none of ours", one.word(1));
        warn(found, "take it away, or make it a server of the group")
    }));
    if findings.is_empty() {
        findings.push(ok(format!("its upstream `{name}` includes the file, with every server")));
    }
    findings
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    one == other || real(one) == real(other)
}

/// Whether an `include` takes in what lies beside the file during a change.
fn beside(config: &NginxConfig, tree: &[Directive]) -> Option<Finding> {
    let folder = tree.first().and_then(|one| one.file.parent()).unwrap_or(Path::new("/"));
    let before = format!("{}{BEFORE}", config.file.display());
    let mut all = everywhere(tree).into_iter().map(|(_, one)| one);
    let wide = all
        .find(|one| one.name() == "include" && includes(one.word(1), folder, Path::new(&before)))?;
    let found = format!("`include {}` takes `{before}` in too", wide.word(1));
    Some(missing(found, format!("include `{}` by its name", config.file.display())))
}

/// A directive that passes requests to the upstream: `proxy`, and the blocks around it.
struct Pass<'a> {
    kind: &'a str,
    around: Vec<&'a [Directive]>,
    file: &'a Path,
}

impl<'a> Pass<'a> {
    /// The innermost directives of this name.
    fn effective(&self, name: &str) -> Vec<&'a Directive> {
        let of = |block: &&'a [Directive]| {
            let mut own = within(block);
            own.retain(|one| one.name() == name);
            (!own.is_empty()).then_some(own)
        };
        self.around.iter().rev().find_map(of).unwrap_or_default()
    }

    fn place(&self) -> String {
        format!("where `{}` passes requests on", self.file.display())
    }
}

fn passes<'a>(tree: &'a [Directive], upstream: &str) -> Vec<Pass<'a>> {
    let pass = |(around, one): (Vec<&'a [Directive]>, &'a Directive)| {
        let kind = one.name().strip_suffix("_pass")?;
        let target = one.word(1);
        let target = target.split_once("://").map_or(target, |(_, rest)| rest);
        let name = target.split(['/', ':']).next();
        (name == Some(upstream)).then(|| Pass { kind, around, file: &one.file })
    };
    everywhere(tree).into_iter().filter_map(pass).collect()
}

/// Whether what is not idempotent may run twice.
fn replays(passes: &[Pass<'_>]) -> Finding {
    let replays = |pass: &&Pass<'_>| {
        let next = pass.effective(&format!("{}_next_upstream", pass.kind));
        next.iter().any(|one| one.words.iter().any(|word| word == "non_idempotent"))
    };
    match passes.iter().find(replays) {
        Some(pass) => missing(
            format!("`{}_next_upstream` says `non_idempotent` {}", pass.kind, pass.place()),
            "take it away: where a server breaks, a POST that it had done would be done again",
        ),
        None => ok("what is not idempotent is sent to one server only"),
    }
}

/// Whether a reload closes connections on which clients may just ask.
fn keep_alive(passes: &[Pass<'_>]) -> Finding {
    let is_zero = |time: &str| time.trim_end_matches(char::is_alphabetic).parse() == Ok(0);
    let keeps = |pass: &&Pass<'_>| {
        let given = |name| pass.effective(name).last().map(|one| is_zero(one.word(1)));
        given("keepalive_timeout") != Some(true) && given("keepalive_min_timeout") != Some(false)
    };
    match passes.iter().find(keeps) {
        Some(pass) => warn(
            format!("clients' connections are kept alive {}", pass.place()),
            "write `keepalive_timeout 0;` there, or, from nginx 1.27.4 on, \
             `keepalive_min_timeout 5s;`: each change reloads nginx, which closes connections that \
             are idle, and a request that is just on its way on one of them fails",
        ),
        None => ok("no request comes in on a connection that a reload closes"),
    }
}

/// Whether the requests are logged as they are counted from.
fn counts(log: &Path, tree: &[Directive], passes: &[Pass<'_>]) -> Finding {
    let shown = log.display();
    let written = |found| {
        let lines = format!("log_format tidegate '{FORMAT}';` and `access_log {shown} tidegate;");
        warn(found, format!("requests are not counted: write `{lines}`"))
    };
    let mut formats = Vec::new();
    for pass in passes {
        let logs = pass.effective("access_log");
        match logs.iter().find(|one| Path::new(one.word(1)) == log) {
            Some(ours) => formats.push(ours.word(2).to_owned()),
            None => return written(format!("nothing is logged to `{shown}` {}", pass.place())),
        }
    }
    let all = everywhere(tree);
    let is_right = |name: &String| {
        let named = |one: &&Directive| one.name() == "log_format" && one.word(1) == name;
        let given = all.iter().map(|(_, one)| *one).find(named);
        given.is_some_and(|one| one.words.iter().skip(2).cloned().collect::<String>() == FORMAT)
    };
    if formats.iter().all(is_right) {
        return ok(format!("requests are counted from `{shown}`"));
    }
    written(format!("what is logged to `{shown}` has another format"))
}

/// Whether workers of a former configuration may stay for longer than a drain may take.
fn long_lived(tree: &[Directive]) -> Option<Finding> {
    let all = everywhere(tree);
    let find =
        |is: &dyn Fn(&Directive) -> bool| all.iter().map(|(_, one)| *one).find(|one| is(one));
    if let Some(limit) = find(&|one| one.name() == "worker_shutdown_timeout") {
        let limit = limit.word(1);
        return Some(ok(format!("what takes longer than {limit} is cut off after a change")));
    }
    let upgrades = |one: &Directive| {
        one.name().ends_with("_set_header") && one.word(1).eq_ignore_ascii_case("upgrade")
    };
    find(&upgrades)?;
    Some(warn(
        "connections that are upgraded, such as WebSockets, have no limit",
        "write `worker_shutdown_timeout 2m;` at the top of nginx's file: a server is drained once \
         all requests are answered that nginx had at that time, and such a connection is one",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::tests::config;
    use super::*;
    use crate::adapters::nginx::conf::tree;
    use crate::doctor::Verdict;

    const GOOD: &str = "\
# configuration file /etc/nginx/nginx.conf:
worker_shutdown_timeout 2m;
http {
    keepalive_timeout 0;
    log_format tidegate '$upstream_addr|$upstream_status|' '$upstream_header_time';
    upstream app { include /srv/none/app.conf; keepalive 8; }
    server {
        access_log /var/log/nginx/app.log tidegate;
        location / { proxy_pass http://app; proxy_set_header Upgrade $http_upgrade; }
        location /other { proxy_pass http://10.0.0.9; proxy_next_upstream non_idempotent; }
    }
}
# configuration file /srv/none/app.conf:
server 10.0.0.1:80 weight=100;
server 10.0.0.2:80 down;
";

    /// What is not well in this configuration.
    fn told(printed: &str) -> Vec<(Verdict, String)> {
        let found = configuration(&config(), &tree(printed)).into_iter();
        let bad = found.filter(|one| one.verdict != Verdict::Ok);
        bad.map(|one| (one.verdict, one.found)).collect()
    }

    #[test]
    fn a_configuration_that_is_right_is_found_so() {
        assert_eq!(told(GOOD), []);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let is = |from: &str, to: &str, verdict: Verdict, words: &str| {
            assert!(GOOD.contains(from), "{from}");
            let told = told(&GOOD.replace(from, to));
            let one =
                |(given, found): &(Verdict, String)| *given == verdict && found.contains(words);
            assert!(told.len() == 1 && told.iter().any(one), "{words}: {told:?}");
        };
        let (missing, warn) = (Verdict::Missing, Verdict::Warn);
        is("upstream app", "upstream shop", missing, "no upstream `app`");
        is("server 10.0.0.2:80 down;", "", missing, "`app` has no `10.0.0.2:80`");
        is("keepalive 8;", "server 10.0.0.3;", warn, "`10.0.0.3` too");
        is("none/app.conf;", "none/app*;", missing, "app.conf.before` in too");
        is("http://app;", "http://app2;", warn, "no `proxy_pass`");
        let replaying = "http://app; proxy_next_upstream error non_idempotent;";
        is("http://app;", replaying, missing, "`proxy_next_upstream` says `non_idempotent`");
        is("keepalive_timeout 0;", "keepalive_timeout 65s;", warn, "kept alive");
        is("http://app;", "http://app; keepalive_timeout 5;", warn, "kept alive");
        is("worker_shutdown_timeout 2m;", "", warn, "WebSockets");
        is("'$upstream_header_time'", "'$request_time'", warn, "another format");
        is("http://app;", "http://app; access_log off;", warn, "nothing is logged");
        let moved = GOOD.replace("include /srv/none/app.conf;", "server 10.0.0.1:80;");
        assert_eq!(told(&moved).len(), 2, "{:?}", told(&moved));
    }

    #[test]
    fn a_newer_nginx_keeps_connections_for_a_while() {
        let later = GOOD.replace("keepalive_timeout 0;", "keepalive_min_timeout 5s;");
        assert_eq!(told(&later), []);
    }
}
