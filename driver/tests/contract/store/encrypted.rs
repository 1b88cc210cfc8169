//! A database is reached over TLS where its certificate is trusted, and is for its name.

use std::path::Path;

use tidegate_driver::adapters::Secret;
use tidegate_driver::store::{Database, Place, StoreError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_postgres::{Config, NoTls};

use super::server::{PASSWORD, Server, unprivileged};
use crate::support::witness::{Witness, accepted, heard};
use crate::support::{certificates, eventually, free_port};

/// A server that shows the certificate of its folder to those who ask by TLS.
fn encrypted() -> Server {
    let mut server = Server::made();
    certificates::make(&server.folder, || unprivileged(Path::new("openssl")));
    server.port = Some(free_port());
    server.up();
    server
}

/// Its address under one of its names, with this `sslmode`.
fn url(server: &Server, name: &str, mode: &str) -> String {
    let port = server.port.unwrap();
    format!("postgres://tidegate@{name}:{port}/postgres?sslmode={mode}")
}

fn place(url: &str, ca: Option<&Path>) -> Place {
    let password = Secret::from(PASSWORD.to_owned());
    let database = Database::parse(url).unwrap().with_password(&password);
    Place::Database(Box::new(database.trusting(ca).unwrap()))
}

async fn refused(url: &str, ca: Option<&Path>) -> String {
    let refused = place(url, ca).open(None).await.map(drop).unwrap_err();
    assert!(matches!(refused, StoreError::Broken(_)), "{refused}");
    refused.to_string()
}

/// How many connections of ours the server has, and how many of them are encrypted.
async fn connections(server: &Server) -> (i64, i64) {
    let config: Config = url(server, "localhost", "disable").parse().unwrap();
    let (admin, connection) = config.clone().password(PASSWORD).connect(NoTls).await.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    let count = "SELECT count(*), count(*) FILTER (WHERE ssl) FROM pg_stat_ssl
                 JOIN pg_stat_activity USING (pid) WHERE application_name = 'tidegate'";
    let row = admin.query_one(count, &[]).await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn a_certificate_is_trusted_or_refused_and_the_reason_is_told() {
    let server = encrypted();
    let ca = server.folder.join("ca");
    let here = url(&server, "localhost", "verify-full");
    let trusted = place(&here, Some(&ca));
    let store = eventually("the database", async || trusted.open(None).await.ok()).await;
    assert_eq!(store.begin_term().await, Ok(0));
    assert_eq!(connections(&server).await, (1, 1));
    let encrypted = place(&url(&server, "localhost", "require"), Some(&ca));
    let other = encrypted.open(None).await.unwrap();
    assert_eq!(connections(&server).await, (2, 2));
    drop(other);
    for mode in ["verify-full", "require"] {
        let stranger = refused(&url(&server, "localhost", mode), None).await;
        assert!(stranger.contains("nobody who is trusted has signed"), "{stranger}");
        let other = refused(&url(&server, "127.0.0.1", mode), Some(&ca)).await;
        assert!(other.contains("not for `127.0.0.1`, but for localhost"), "{other}");
    }
    let nobody = Database::parse(&here).unwrap();
    let nobody = Place::Database(Box::new(nobody)).open(None).await.map(drop).unwrap_err();
    assert!(nobody.to_string().contains("no TLS implementation"), "{nobody}");
}

/// Takes up a client's wish to encrypt, or not.
const TAKEN: &[u8] = b"S";
const DECLINED: &[u8] = b"N";
/// Asks for the password as it is.
const PASSWORD_ASKED: &[u8] = b"R\0\0\0\x08\0\0\0\x03";

#[tokio::test]
async fn a_password_is_shown_to_none_but_a_server_that_is_trusted() {
    let (server, witness) = (encrypted(), Witness::start().await);
    let ca = server.folder.join("ca");
    let url = |name| format!("postgres://tidegate@{name}:{}/a?sslmode=require", witness.port());
    let taken = async || {
        let mut stream = witness.client().await;
        stream.read_exact(&mut [0; 8]).await.ok()?;
        stream.write_all(TAKEN).await.ok()?;
        let mut stream = accepted(stream, &server.folder).await?;
        heard(&mut stream).await?;
        stream.write_all(PASSWORD_ASKED).await.ok()?;
        heard(stream).await
    };
    let asked = async |name, ca| {
        let place = place(&url(name), ca);
        tokio::join!(taken(), place.open(None)).0
    };
    let told = asked("localhost", Some(&*ca)).await.unwrap();
    assert!(told.contains(PASSWORD), "{told}");
    assert_eq!(asked("localhost", None).await, None);
    assert_eq!(asked("127.0.0.1", Some(&*ca)).await, None);
    let declined = async {
        let mut stream = witness.client().await;
        stream.read_exact(&mut [0; 8]).await.ok()?;
        stream.write_all(DECLINED).await.ok()?;
        heard(stream).await
    };
    let url = url("localhost");
    let (told, why) = tokio::join!(declined, refused(&url, Some(&ca)));
    assert_eq!(told, None);
    assert!(why.contains("server does not support TLS"), "{why}");
}
