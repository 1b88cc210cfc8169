use std::sync::Arc;

use tidegate_core::{Controller, Span};
use tidegate_driver::adapters::Secret;
use tidegate_driver::store::{Database, Place, Store, StoreError};
use tokio_postgres::{Client, Config, NoTls};

use super::server::{PASSWORD, Server};
use super::{at, group, record};
use crate::support::eventually;

/// The database of a server, which answers by now.
pub async fn place(server: &Server, lease: Span) -> Place {
    let password = Secret::from(PASSWORD.to_owned());
    let mut database = Database::parse(&server.url()).unwrap().with_password(&password);
    database.lease = lease;
    eventually("the database answers", async || admin(server).await.ok()).await;
    Place::Database(Box::new(database))
}

/// A connection of an administrator's.
pub async fn admin(server: &Server) -> Result<Client, tokio_postgres::Error> {
    let mut config: Config = server.url().parse()?;
    let (client, connection) = config.password(PASSWORD).connect(NoTls).await?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

#[tokio::test]
async fn a_database_keeps_what_was_appended() {
    let server = Server::start();
    let place = place(&server, Database::LEASE).await;
    let refused = place.read().await.map(drop).unwrap_err();
    assert!(refused.to_string().contains("has no store in it"), "{refused}");
    super::what_was_appended_is_there_when_it_is_opened_again(&place).await;
}

#[tokio::test]
async fn a_database_refuses_a_host_that_was_taken_over() {
    let server = Server::start();
    let place = place(&server, Database::LEASE).await;
    super::a_host_that_was_taken_over_writes_nothing(&place).await;
}

#[tokio::test]
async fn a_database_forgets_what_is_old() {
    let server = Server::start();
    let place = place(&server, Database::LEASE).await;
    super::lines_that_are_old_and_behind_a_checkpoint_are_removed(&place).await;
}

#[tokio::test]
async fn a_database_serves_many_groups() {
    let server = Server::start();
    let place = place(&server, Database::LEASE).await;
    super::what_many_append_and_people_ask_is_kept(&place).await;
}

#[tokio::test]
async fn a_database_keeps_what_people_asked() {
    let server = Server::start();
    let place = place(&server, Database::LEASE).await;
    super::what_people_asked_stays_when_its_lines_are_removed(&place).await;
}

#[tokio::test]
async fn a_database_keeps_how_far_a_set_up_has_come() {
    let server = Server::start();
    let place = place(&server, Database::LEASE).await;
    super::how_far_a_set_up_has_come_is_kept_and_a_host_of_before_does_not_change_it(&place).await;
}

#[tokio::test]
async fn a_newer_program_a_wrong_password_and_a_database_that_is_away_are_refused() {
    let mut server = Server::start();
    let place = place(&server, Database::LEASE).await;
    let (first, second) = tokio::join!(place.open(None), place.open(None));
    drop((first.unwrap(), second.unwrap()));
    let newer = "UPDATE tidegate.format SET version = 2";
    admin(&server).await.unwrap().batch_execute(newer).await.unwrap();
    assert_eq!(place.open(None).await.map(drop), Err(StoreError::Newer(2)));
    let wrong = Secret::from("hunter3".to_owned());
    let wrong = Database::parse(&server.url()).unwrap().with_password(&wrong);
    let refused = Place::Database(Box::new(wrong)).open(None).await.map(drop).unwrap_err();
    assert!(matches!(refused, StoreError::Broken(_)), "{refused}");
    assert!(!refused.to_string().contains("hunter"), "{refused}");
    server.down();
    let refused = place.open(None).await.map(drop).unwrap_err();
    assert!(matches!(refused, StoreError::Unreachable(_)), "{refused}");
}

/// An append of the second line, under way.
fn appending(store: &Arc<dyn Store>) -> tokio::task::JoinHandle<Result<(), StoreError>> {
    let store = Arc::clone(store);
    let mut controller = Controller::new(group(), at(0));
    record(&mut controller, 1);
    tokio::spawn(async move { store.append(0, "a", record(&mut controller, 2)).await })
}

async fn with_one_line(place: &Place) -> Arc<dyn Store> {
    let store = place.open(None).await.unwrap();
    assert_eq!(store.begin_term().await, Ok(0));
    let line = record(&mut Controller::new(group(), at(0)), 1);
    store.append(0, "a", line).await.unwrap();
    store
}

#[tokio::test]
async fn a_line_is_written_after_the_database_was_started_again() {
    let mut server = Server::start();
    let place = place(&server, Span::from_secs(60)).await;
    let store = with_one_line(&place).await;
    server.down();
    let appended = appending(&store);
    server.up();
    assert_eq!(appended.await.unwrap(), Ok(()));
    assert_eq!(store.journal("a", 1).await.unwrap().len(), 2);
}

/// The server tells that a transaction is committed once another server has it, which there is not.
#[tokio::test]
async fn a_line_that_was_written_unheard_is_not_written_again() {
    let server = Server::start();
    let place = place(&server, Span::from_secs(60)).await;
    let store = with_one_line(&place).await;
    let admin = admin(&server).await.unwrap();
    let configure = async |what: &str| {
        admin.batch_execute(what).await.unwrap();
        admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    };
    configure("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await;
    // The server takes it up in time: from then on no commit ends, and so not this one.
    let waiting = "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    let probe = self::admin(&server).await.unwrap();
    let probe = tokio::spawn(async move {
        while probe.batch_execute("CREATE TEMP TABLE a (); DROP TABLE a").await.is_ok() {}
    });
    let waits = async || admin.query_opt(waiting, &[]).await.unwrap();
    eventually("commits wait", waits).await;
    let appended = appending(&store);
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE wait_event = 'SyncRep' AND application_name = 'tidegate'";
    let ended = async || admin.query_opt(end, &[]).await.unwrap().map(drop);
    eventually("the first commit waits, and is ended", ended).await;
    let written = "SELECT count(*) FROM tidegate.journal";
    eventually("it was committed", async || {
        (admin.query_one(written, &[]).await.unwrap().get::<_, i64>(0) == 2).then_some(())
    })
    .await;
    assert!(!appended.is_finished(), "nobody was told");
    probe.abort();
    configure("ALTER SYSTEM RESET synchronous_standby_names").await;
    assert_eq!(appended.await.unwrap(), Ok(()));
    assert_eq!(store.journal("a", 1).await.unwrap().len(), 2);
}
