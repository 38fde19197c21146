//! Rows as Postgres spells them, for whoever shows them: no value is changed on the way.

use sqlx::{
    AssertSqlSafe, Column as _, Executor, PgConnection, Row, SqlSafeStr, Statement, TypeInfo,
    postgres::{PgArguments, PgColumn},
};

use crate::report::{Column, Kind, Table};

/// Runs a query and takes every column as Postgres spells it, times in UTC.
///
/// # Errors
///
/// The database's own, for the caller to sort.
pub async fn read(
    conn: &mut PgConnection,
    sql: &'static str,
    arguments: PgArguments,
) -> Result<Table, sqlx::Error> {
    let shape = (&mut *conn).prepare(sql.into_sql_str()).await?;
    let columns: Vec<Column> = shape
        .columns()
        .iter()
        .map(|column| Column { name: column.name().to_owned(), kind: kind(column) })
        .collect();
    let spelt: Vec<String> = columns.iter().map(spelt).collect();
    // Nothing but names of columns, quoted, is put into the text.
    let text = AssertSqlSafe(format!("select {} from ({sql}) as shown", spelt.join(", ")));
    let rows = sqlx::query_with(text, arguments).fetch_all(conn).await?;
    let rows = rows
        .iter()
        .map(|row| (0..columns.len()).map(|place| row.try_get(place)).collect())
        .collect::<Result<_, sqlx::Error>>()?;
    Ok(Table { columns, rows })
}

/// Whether an error says that the database was never migrated, or not far enough.
pub fn is_absent(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| matches!(code.as_ref(), "42P01" | "3F000"))
}

fn kind(column: &PgColumn) -> Kind {
    match column.type_info().name() {
        "INT2" | "INT4" | "INT8" => Kind::Whole,
        "NUMERIC" => Kind::Exact,
        "BOOL" => Kind::Flag,
        "TIMESTAMPTZ" => Kind::Time,
        _ => Kind::Text,
    }
}

fn spelt(column: &Column) -> String {
    let name = format!("\"{}\"", column.name.replace('"', "\"\""));
    match column.kind {
        Kind::Time => format!(r#"to_char({name} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#),
        Kind::Text | Kind::Whole | Kind::Exact | Kind::Flag => format!("{name}::text"),
    }
}
