//! An encrypted connection is made with those alone whom somebody trusts.

use std::process::Command;

use tidegate_core::{Failure, Power};
use tidegate_driver::adapters::http_provider::open;
use tidegate_driver::ports::Provider;

use super::cloud::{Cloud, Shape};
use super::{config, example};
use crate::provider::power;
use crate::support::{Folder, Running, ask, certificates, clock, eventually, free_port};

/// A certificate for `localhost` with its key, by an authority that only this folder knows.
fn certificate(folder: &Folder) {
    certificates::make(&folder.path(""), || Command::new("openssl"));
    let both = ["own", "own.key"].map(|name| std::fs::read_to_string(folder.path(name)).unwrap());
    folder.write("both.pem", &both.concat());
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_told_and_one_that_is_named_is_trusted() {
    let (folder, cloud) = (Folder::new(), Cloud::start(Shape::Hetzner).await);
    certificate(&folder);
    let front = free_port();
    let file = folder.write(
        "haproxy.cfg",
        &format!(
            "defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  \
             timeout server 60s\n\
             frontend front\n  bind 127.0.0.1:{front} ssl crt {}\n  default_backend cloud\n\
             backend cloud\n  server cloud 127.0.0.1:{}\n",
            folder.path("both.pem").display(),
            cloud.port
        ),
    );
    let file = file.display().to_string();
    let _proxy = Running::start("haproxy", &["-db", "-f", &file], &folder.path("haproxy.log"));
    let mut config = config(&example(Shape::Hetzner, cloud.port, &folder));
    config.url = format!("https://localhost:{front}/v1");
    let stranger = open(config.clone(), clock()).unwrap();
    let refused = eventually("the proxy", async || {
        let why = stranger.power(ask()).await.unwrap_err();
        (!why.what.contains("Connection refused")).then_some(why)
    })
    .await;
    assert_eq!(refused.failure, Failure::Unreachable);
    assert!(refused.what.contains("nobody who is trusted has signed"), "{refused}");
    config.ca = Some(folder.path("ca"));
    assert_eq!(power(&open(config.clone(), clock()).unwrap()).await, Power::Off);
    config.ca = Some(folder.write("none.pem", "nothing"));
    let none = open(config, clock()).unwrap_err().to_string();
    assert!(none.contains("none.pem`: there are none"), "{none}");
}
