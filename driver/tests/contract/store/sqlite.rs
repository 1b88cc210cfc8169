use tidegate_driver::store::{Place, SqliteStore, StoreError};

use crate::support::Folder;

fn place(folder: &Folder) -> Place {
    Place::File(folder.path("state.db"))
}

#[tokio::test]
async fn a_file_keeps_what_was_appended() {
    let folder = Folder::new();
    super::what_was_appended_is_there_when_it_is_opened_again(&place(&folder)).await;
}

#[tokio::test]
async fn a_file_refuses_a_host_that_was_taken_over() {
    let folder = Folder::new();
    super::a_host_that_was_taken_over_writes_nothing(&place(&folder)).await;
}

#[tokio::test]
async fn a_file_forgets_what_is_old() {
    let folder = Folder::new();
    super::lines_that_are_old_and_behind_a_checkpoint_are_removed(&place(&folder)).await;
}

#[tokio::test]
async fn a_file_serves_many_groups() {
    let folder = Folder::new();
    super::what_many_append_and_people_ask_is_kept(&place(&folder)).await;
}

#[tokio::test]
async fn a_file_keeps_what_people_asked() {
    let folder = Folder::new();
    super::what_people_asked_stays_when_its_lines_are_removed(&place(&folder)).await;
}

#[tokio::test]
async fn a_file_keeps_how_far_a_set_up_has_come() {
    let folder = Folder::new();
    let place = place(&folder);
    super::how_far_a_set_up_has_come_is_kept_and_a_host_of_before_does_not_change_it(&place).await;
    let read = place.look().await.unwrap().unwrap();
    assert!(read.begin_term().await.is_err(), "it is read alone");
}

#[tokio::test]
async fn a_store_of_a_newer_program_and_a_file_that_is_none_are_refused() {
    let folder = Folder::new();
    let path = folder.path("state.db");
    let file = rusqlite::Connection::open(&path).unwrap();
    file.pragma_update(None, "user_version", 3).unwrap();
    drop(file);
    let refused = SqliteStore::open(&path, None).await.unwrap_err();
    assert_eq!(refused, StoreError::Newer(3));
    let text = "this is no database, and long enough to be seen as none".repeat(20);
    let text = folder.write("text", &text);
    let refused = SqliteStore::open(&text, None).await.unwrap_err();
    assert!(matches!(refused, StoreError::Broken(_)), "{refused}");
}
