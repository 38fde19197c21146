//! The statement as a page, from the real program.

use std::fs;

use crate::{office::Desk, world::World};

#[tokio::test]
async fn a_statement_is_written_as_a_page_that_names_its_day_and_its_desk() {
    // Given books with an execution of a day, and a desk that has a name
    let alerts = "[alerts]\nenvironment = \"prod\"\nfrom = \"hedge@desk.example\"\nto = []\n";
    let desk = Desk::configured(World::with_books().await, alerts);
    let file = desk.room.path().join("statement.html");
    // When its statement is written as a page
    let words = ["statement", "--date", "2026-11-20", "--html", file.to_str().unwrap()];
    let said = desk.run(&words, 0).await;
    // Then it is there, with its charts, and says of when and of whom it is
    assert!(said.contains("the statement of 2026-11-20 is written to"), "{said}");
    let page = fs::read_to_string(file).unwrap();
    assert_eq!(page.matches("<svg").count(), 4);
    assert!(page.contains("Friday, 20 November 2026") && page.contains("hedge prod"), "{page}");
    assert!(page.contains("Ties out to the unit."), "{page}");
}
