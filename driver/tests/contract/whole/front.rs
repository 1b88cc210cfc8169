//! The proxies that a whole group may stand behind, each of which knows `app0` and `app1`.

use std::path::Path;

use serde_json::json;

use crate::support::envoy::Envoy;
use crate::support::nginx::Nginx;
use crate::support::{Folder, Running, free_port, haproxy_file};

/// Which proxy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// With this on the line of the standby.
    Haproxy(&'static str),
    Nginx,
    Envoy,
}

impl Front {
    /// Starts it at this port, in front of the primary's and the standby's. What a configuration
    /// says of it comes with it.
    pub fn start(self, folder: &Folder, port: u16, servers: [u16; 2]) -> (Running, String) {
        let [primary, standby] = servers.map(|port| format!("127.0.0.1:{port}"));
        let listen = format!("127.0.0.1:{port}");
        match self {
            Self::Haproxy(line) => {
                let standby = format!("{standby} {line}");
                let file = haproxy_file(folder, &listen, "/", [&*primary, &*standby]);
                (started(&file, folder), haproxy_table(folder))
            }
            Self::Nginx => {
                let nginx = Nginx { folder, servers: [&*primary, &*standby] };
                nginx.write(&listen, "keepalive_timeout 0;", "");
                (nginx.start(), format!("[group.ports.nginx]\n{}", nginx.table()))
            }
            Self::Envoy => {
                let (servers, ports) = ([&*primary, &*standby], [port, free_port()]);
                let envoy = Envoy { folder, servers, ports };
                envoy.write("/", &json!({}));
                let running = envoy.start(&["--disable-hot-restart"]);
                (running, format!("[group.ports.envoy]\n{}", envoy.table()))
            }
        }
    }
}

fn started(file: &Path, folder: &Folder) -> Running {
    Running::start("haproxy", &["-db", "-f", file.to_str().unwrap()], &folder.path("log"))
}

fn haproxy_table(folder: &Folder) -> String {
    let socket = folder.path("api").display().to_string();
    format!(
        "[group.ports.haproxy]\nsocket = \"{socket}\"\nbackend = \"app\"\n\
         servers = [\"app0\", \"app1\"]\n"
    )
}
