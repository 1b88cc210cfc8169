//! People who ask a live host, by command, by program and by browser.

use std::fs;

use crate::{CONFIG, Desk, Live, exchange, free_port};

const TOKEN: &str = "s3cret";
/// `ann:s3cret`, as a browser shows it.
const ANN: &str = "Authorization: Basic YW5uOnMzY3JldA==\r\n";

struct House {
    desk: Desk,
    port: u16,
}

impl House {
    /// A group that nothing scales but people, whose name is hard to write.
    fn new(name: &str) -> Self {
        let desk = Desk::new(name);
        let port = free_port();
        fs::write(desk.0.join("token"), format!("{TOKEN}\n")).unwrap();
        let http = format!(
            "[http]\nlisten = \"127.0.0.1:{port}\"\ntoken = {{ file = \"token\" }}\n[policy]"
        );
        let config = CONFIG.replace("[policy]\nmin_standbys = 1", &http);
        let config = config.replace("[policy]\n", "[policy]\nmin_standbys = 0\n");
        let config = config.replace("name = \"demo\"", "name = 'a <b>/&'");
        fs::write(desk.0.join("live.toml"), config).unwrap();
        Self { desk, port }
    }

    fn start(&self) -> Live {
        let mut live = self.desk.start(&[]);
        // It listens before it takes a group up.
        live.until(": ");
        live
    }

    /// The exit code of a command, and what it says.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.desk.tidegate(arguments).env("USER", "bob").output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(!said.contains(TOKEN), "{said}");
        (output.status.code(), said)
    }

    fn ask(&self, more: &[&str]) -> (Option<i32>, String) {
        self.run(&[&["ask", "live.toml", "a <b>/&"], more].concat())
    }

    fn status(&self) -> String {
        let (code, said) = self.run(&["status", "live.toml", "a <b>/&"]);
        assert_eq!(code, Some(0), "{said}");
        said
    }

    /// The answer to a request, with its head.
    fn exchange(&self, line: &str, head: &str, body: &str) -> String {
        let answer = exchange(self.port, &format!("{line} HTTP/1.1"), head, body).unwrap();
        assert!(!answer.contains(TOKEN), "{answer}");
        answer
    }
}

#[test]
fn a_person_asks_by_command_and_it_is_known_for_good() {
    let house = House::new("asks");
    let mut live = house.start();
    let (code, said) = house.ask(&["scale-up", "--hold", "1h", "--who", "ann"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("scale up by 1: "), "{said}");
    live.until("ann asked for 1 server more for 1h");
    live.until("command 2 done");
    let status = house.status();
    for part in ["2 of 2 serve", "standby-1 serving", "a person: at least 2", "ann asked for"] {
        assert!(status.contains(part), "{part} in {status}");
    }
    let (code, said) = house.ask(&["pause", "--until", "2100-01-01T01:00[Europe/Berlin]"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(house.status().contains("paused: until 2100-01-01T00:00:00"), "{}", house.status());
    live.child.kill().unwrap();
    drop(live);
    let live = house.start();
    let status = house.status();
    for part in ["bob asked for a pause until 2100", "ann asked for 1 server more", "paused: "] {
        assert!(status.contains(part), "{part} in {status}");
    }
    assert_eq!(house.ask(&["resume"]).0, Some(0));
    assert!(!house.status().contains("paused: "));
    let (code, said) = house.run(&["status", "live.toml", "--format", "json"]);
    assert_eq!(code, Some(0), "{said}");
    let groups: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(groups["groups"][0]["name"], "a <b>/&");
    assert_eq!(live.stop(), Some(0));
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_to_do() {
    let house = House::new("refuses");
    let (code, said) = house.ask(&["resume"]);
    assert_eq!(code, Some(3), "nobody is there: {said}");
    assert!(said.contains("failed to ask the live host at 127.0.0.1:"), "{said}");
    let live = house.start();
    for (arguments, why) in [
        (&["scale-up", "--by", "0"][..], "`by` is to be a number of servers"),
        (&["pause"], "say how long the pause is"),
        (&["pause", "--until", "1999-01-01T00:00:00Z"], "over already"),
        (&["resume", "--hold", "1h"], "`resume` takes no `hold`"),
        (&["scale-down", "--who", ""], "`who`"),
    ] {
        let (code, said) = house.ask(arguments);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(why), "{said}");
    }
    let (code, said) = house.run(&["ask", "live.toml", "nobody", "resume"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("there is no group `nobody`"), "{said}");
    fs::write(house.desk.0.join("token"), "another").unwrap();
    let (code, said) = house.ask(&["resume"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("401"), "{said}");
    fs::remove_file(house.desk.0.join("token")).unwrap();
    assert_eq!(house.ask(&["resume"]).0, Some(2));
    assert_eq!(live.stop(), Some(0));
    fs::write(house.desk.0.join("live.toml"), CONFIG).unwrap();
    let (code, said) = house.run(&["status", "live.toml"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no `[http]` with a `token`"), "{said}");
}

#[test]
fn a_browser_shows_the_group_and_asks_with_a_form_of_its_own_page_only() {
    let house = House::new("page");
    let mut live = house.start();
    let unknown = house.exchange("GET /", "", "");
    assert!(unknown.starts_with("HTTP/1.1 401 "), "{unknown}");
    assert!(unknown.contains("www-authenticate: Basic"), "{unknown}");
    let list = house.exchange("GET /", ANN, "");
    assert!(list.contains("?name=a+%3Cb%3E%2F%26\">a &#60;b&#62;/&#38;</a>"), "{list}");
    let page = house.exchange("GET /group?name=a+%3Cb%3E%2F%26", ANN, "");
    assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
    assert!(page.contains("<h2>Ask, as ann</h2>") && !page.contains("<b>"), "{page}");
    let (_, seal) = page.split_once("name=\"seal\" value=\"").unwrap();
    let (seal, _) = seal.split_once('"').unwrap();
    let form = |seal: &str| format!("name=a+%3Cb%3E%2F%26&action=scale-up&by=1&hold=&seal={seal}");
    for forged in ["", "00", &"0".repeat(64)] {
        let refused = house.exchange("POST /group", ANN, &form(forged));
        assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    }
    let taken = house.exchange("POST /group", ANN, &form(seal));
    assert!(taken.starts_with("HTTP/1.1 303 "), "{taken}");
    assert!(taken.contains("location: /group?name=a+%3Cb%3E%2F%26\r\n"), "{taken}");
    live.until("ann asked for 1 server more");
    let wrong = form(seal).replace("by=1", "by=some");
    assert!(house.exchange("POST /group", ANN, &wrong).starts_with("HTTP/1.1 400 "));
    assert!(house.exchange("GET /group?name=b", ANN, "").starts_with("HTTP/1.1 404 "));
    let page = house.exchange("GET /group?name=a+%3Cb%3E%2F%26", ANN, "");
    assert!(page.contains("ann asked for 1 server more"), "{page}");
    assert_eq!(live.stop(), Some(0));
}

#[test]
fn a_program_asks_with_the_token_alone() {
    let house = House::new("program");
    let live = house.start();
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    let at = "/api/v1/groups/a%20%3Cb%3E%2F&";
    for head in ["", ANN, "Authorization: Bearer no\r\n"] {
        let refused = house.exchange(&format!("POST {at}/resume"), head, "{\"who\":\"eve\"}");
        assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    }
    let request = format!("POST {at}/scale-up");
    let answer = house.exchange(&request, &bearer, "{\"who\":\"cron\",\"by\":1,\"hold\":\"5m\"}");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("\"verdict\":{\"scale-up\":1}"), "{answer}");
    for body in ["", "{}", "{\"who\":\"cron\",\"wrong\":1}", "{\"who\":\"cron\",\"by\":70000}"] {
        let refused = house.exchange(&request, &bearer, body);
        assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
        assert!(refused.contains("{\"error\":\"failed to read the request: "), "{refused}");
    }
    assert_eq!(live.stop(), Some(0));
}
