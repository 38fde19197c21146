//! A `SQLite` file, opened for reading alone: the rows of its tables as they stand.
//!
//! A binary fraction becomes the shortest decimal that reads back as the same one, here, and is
//! never reckoned with.

use std::{fs, io, path::Path};

use anyhow::Context as _;
use rusqlite::{Connection, OpenFlags, types::ValueRef};
use sha2::{Digest as _, Sha256};

use crate::book::earlier::{Cell, Row};

/// The SHA-256 of a file.
///
/// # Errors
/// It cannot be read.
pub(super) fn digest(path: &Path) -> io::Result<[u8; 32]> {
    let mut sha = Sha256::new();
    io::copy(&mut fs::File::open(path)?, &mut sha)?;
    Ok(sha.finalize().into())
}

/// Whether something was written that is not in the file itself yet.
pub(super) fn has_journal(path: &Path) -> bool {
    ["-wal", "-journal"].iter().any(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        fs::metadata(name).is_ok_and(|journal| journal.len() > 0)
    })
}

/// A `SQLite` file.
pub(super) struct File(Connection);

impl File {
    /// Opens it; nothing is ever written to it.
    ///
    /// # Errors
    /// It is not there.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Ok(Self(Connection::open_with_flags(path, flags)?))
    }

    /// The names of its tables.
    ///
    /// # Errors
    /// It is no `SQLite` file.
    pub(super) fn tables(&self) -> anyhow::Result<Vec<String>> {
        let mut query = self.0.prepare("select name from sqlite_master where type = 'table'")?;
        let names = query.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Gives every row of a table to `each`, in the order of their rowids; how many there were.
    ///
    /// # Errors
    /// It cannot be read to its end.
    pub(super) fn rows(&self, table: &'static str, mut each: impl FnMut(&Row<'_>)) -> anyhow::Result<u64> {
        let unread = || format!("could not read `{table}`");
        // One of our own names, and no word of the file's.
        let mut query =
            self.0.prepare(&format!("select rowid, * from {table} order by rowid")).with_context(unread)?;
        let columns: Vec<String> = query.column_names().into_iter().skip(1).map(str::to_owned).collect();
        let mut rows = query.query([]).with_context(unread)?;
        let mut count = 0;
        while let Some(row) = rows.next().with_context(unread)? {
            let cells = (1..=columns.len())
                .map(|place| row.get_ref(place).map(cell))
                .collect::<Result<Vec<_>, _>>()?;
            each(&Row { table, number: row.get(0)?, columns: &columns, cells: &cells });
            count += 1;
        }
        Ok(count)
    }
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Whole(number),
        ValueRef::Real(fraction) => Cell::Real(fraction.to_string()),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
    }
}
