//! A card's query as Metabase sends it.

use std::collections::BTreeMap;

use hedge::cli::bi::boards::Card;

/// The query as Metabase sends it: what is in double square brackets goes where its filter is empty.
pub(crate) fn asked(card: &Card, filters: &BTreeMap<&str, &str>) -> String {
    let mut sql = String::new();
    let mut rest = card.sql();
    while let Some((before, after)) = rest.split_once("[[") {
        let (inside, after) = after.split_once("]]").unwrap_or((after, ""));
        sql.push_str(before);
        if filters.keys().any(|name| inside.contains(&format!("{{{{{name}}}}}"))) {
            sql.push_str(inside);
        }
        rest = after;
    }
    sql.push_str(rest);
    filters
        .iter()
        .fold(sql, |sql, (name, value)| sql.replace(&format!("{{{{{name}}}}}"), &format!("'{value}'")))
}
