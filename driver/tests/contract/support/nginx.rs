//! An nginx of a test's own, in front of a primary and of a standby that is down.

use std::process::Command;

use super::{Folder, Running};

/// What stands where in its configuration.
pub struct Nginx<'a> {
    pub folder: &'a Folder,
    /// The addresses of the primary and the standby.
    pub servers: [&'a str; 2],
}

impl Nginx<'_> {
    /// Writes its files. `http` stands in that block, `location` where requests are passed on.
    pub fn write(&self, listen: &str, http: &str, location: &str) {
        let [primary, standby] = self.servers;
        let at = self.folder.path("").display().to_string();
        let at = at.trim_end_matches('/');
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|name| format!("  {name}_temp_path {at}/{name};\n"));
        let temporary = temporary.concat();
        self.folder.write(
            "app.conf",
            &format!(
                "server {primary} weight=100 max_fails=0;\n\
                 server {standby} weight=100 max_fails=0 down;\n"
            ),
        );
        self.folder.write(
            "nginx.conf",
            &format!(
                "user root;\npid {at}/nginx.pid;\nerror_log {at}/nginx.log notice;\n\
                 worker_processes 2;\nworker_shutdown_timeout 5m;\n\
                 events {{ worker_connections 256; }}\n\
                 http {{\n{temporary}  {http}\n  \
                 log_format tidegate \
                 '$upstream_addr|$upstream_status|$upstream_header_time';\n  \
                 access_log {at}/requests.log tidegate;\n  \
                 upstream app {{ include {at}/app.conf; }}\n  \
                 server {{\n    listen {listen};\n    \
                 location / {{ proxy_pass http://app; {location} }}\n  }}\n}}\n"
            ),
        );
    }

    /// Runs its program with these arguments, and with its configuration.
    pub fn command(&self, arguments: &[&str]) -> Vec<String> {
        let (file, log) = (self.folder.path("nginx.conf"), self.folder.path("nginx.log"));
        let own = ["nginx", "-c", file.to_str().unwrap(), "-e", log.to_str().unwrap()];
        own.iter().chain(arguments).map(|word| (*word).to_owned()).collect()
    }

    pub fn start(&self) -> Running {
        let command = self.command(&["-g", "daemon off;"]);
        let mut program = Command::new(&command[0]);
        Running::command(program.args(&command[1..]), &self.folder.path("nginx.out"))
    }

    /// What a configuration says of it, but for the head of the table.
    pub fn table(&self) -> String {
        let at = self.folder.path("").display().to_string();
        let at = at.trim_end_matches('/');
        let [test, reload, dump] = [&["-t"] as &[&str], &["-s", "reload"], &["-T"]];
        let [test, reload, dump] = [test, reload, dump].map(|arguments| self.command(arguments));
        format!(
            "file = \"{at}/app.conf\"\nupstream = \"app\"\nservers = {:?}\n\
             pid = \"{at}/nginx.pid\"\ntest = {test:?}\nreload = {reload:?}\ndump = {dump:?}\n\
             access_log = \"{at}/requests.log\"\n",
            self.servers
        )
    }
}
