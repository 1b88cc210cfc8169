//! A configuration whose group has its alerts notified.

/// The one that ships, in front of this Prometheus, whose token for Alertmanager lies in a file.
pub fn config(prometheus: &str, token: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/live-servers.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once("[group.ports.prometheus]\n").unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    let quantity = |name| format!("{{ value = \"{name}\", sampled = \"timestamp({name})\" }}");
    format!(
        "{before}[group.ports.prometheus]\nurl = \"{prometheus}\"\nlabel = \"server\"\n\
         servers = [\"one\", \"two\"]\ncpu = {}\nmemory = {}\nstale_after = \"2m\"\n\n\
         [group.ports.alertmanager]\n\n{after}\n\
         [http]\nlisten = \"127.0.0.1:0\"\nalerts_token = {{ file = \"{token}\" }}\n",
        quantity("cpu"),
        quantity("memory"),
    )
}
