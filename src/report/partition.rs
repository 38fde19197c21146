//! One day of a table, as a file: Parquet or CSV.
//!
//! A file is there whole or not at all: it is written beside its place under another name, put
//! on disk, and renamed. Rows pass through; few of them are held at a time. Decimals are exact:
//! in Parquet 38 digits with 18 decimals, in CSV the text that Postgres gave.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, civil::Date};
use polars::{io::parquet::write::BatchedWriter, prelude::*};

use crate::units::{Amount, SCALE};

/// Digits of a decimal, of which [`SCALE`] follow the point.
const PRECISION: usize = 38;
/// Rows of a group in Parquet, which is what is held of a table at a time.
const GROUP: usize = 20_000;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Columns, compressed by zstd.
    Parquet,
    /// RFC 4180 with a header; null is empty.
    Csv,
}

impl Format {
    /// How the names of such files end.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Words, hashes, and numbers of any number of digits.
    Text,
    /// A 64-bit number.
    Whole,
    /// A number of the grid.
    Decimal,
    /// True or false.
    Flag,
    /// A time, to the microsecond, UTC.
    Time,
    /// A date.
    Date,
}

impl Holds {
    /// What a column of this type of Postgres holds: a number whose digits are not declared may have
    /// any number of them, and stays text.
    pub fn of(postgres: &str) -> Self {
        match postgres {
            "smallint" | "integer" | "bigint" => Self::Whole,
            "boolean" => Self::Flag,
            "timestamp with time zone" => Self::Time,
            "date" => Self::Date,
            _ if on_the_grid(postgres) => Self::Decimal,
            _ => Self::Text,
        }
    }

    /// The word used in schema files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Whole => "int64",
            Self::Decimal => "decimal(38,18)",
            Self::Flag => "boolean",
            Self::Time => "timestamp(us, UTC)",
            Self::Date => "date",
        }
    }

    fn kind(self) -> DataType {
        match self {
            Self::Text => DataType::String,
            Self::Whole => DataType::Int64,
            Self::Decimal => DataType::Decimal(PRECISION, DECIMALS),
            Self::Flag => DataType::Boolean,
            Self::Time => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
            Self::Date => DataType::Date,
        }
    }
}

const DECIMALS: usize = 18;
const _: () = assert!(SCALE == 18, "the grid of the books is the decimals of a file");

/// `numeric(p,s)` that the grid holds.
fn on_the_grid(postgres: &str) -> bool {
    let digits = postgres.strip_prefix("numeric(").and_then(|rest| rest.strip_suffix(')'));
    digits.and_then(|digits| digits.split_once(',')).is_some_and(|(all, after)| {
        match (all.parse::<u32>(), after.parse::<u32>()) {
            (Ok(all), Ok(after)) => after <= SCALE && all.saturating_sub(after) <= 38 - SCALE,
            _ => false,
        }
    })
}

/// A column of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub holds: Holds,
}

/// Why a file could not be written. What was there before is there still.
#[derive(Debug, thiserror::Error)]
pub enum PartitionError {
    /// The disk.
    #[error("could not write {}", path.display())]
    Disk {
        /// Which file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// Parquet.
    #[error("could not write {} as parquet", path.display())]
    Parquet {
        /// Which file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: Box<PolarsError>,
    },
    /// A value is not what its column holds.
    #[error("`{value}` in `{column}` is no {}", holds.word())]
    Value {
        /// The column.
        column: String,
        /// The value.
        value: String,
        /// What the column holds.
        holds: Holds,
    },
}

/// A file being written.
#[derive(Debug)]
pub struct Partition {
    path: PathBuf,
    partial: PathBuf,
    fields: Vec<Field>,
    sheet: Sheet,
    rows: u64,
}

enum Sheet {
    Csv(Box<csv::Writer<File>>),
    Parquet { file: File, writer: Box<BatchedWriter<File>>, held: Vec<Values>, count: usize },
}

impl std::fmt::Debug for Sheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Csv(_) => "Csv",
            Self::Parquet { .. } => "Parquet",
        })
    }
}

/// Values of a column that wait to be written.
enum Values {
    Text(Vec<Option<String>>),
    Whole(Vec<Option<i64>>),
    Decimal(Vec<Option<i128>>),
    Flag(Vec<Option<bool>>),
    Time(Vec<Option<i64>>),
    Date(Vec<Option<i32>>),
}

impl Values {
    fn of(holds: Holds) -> Self {
        match holds {
            Holds::Text => Self::Text(Vec::new()),
            Holds::Whole => Self::Whole(Vec::new()),
            Holds::Decimal => Self::Decimal(Vec::new()),
            Holds::Flag => Self::Flag(Vec::new()),
            Holds::Time => Self::Time(Vec::new()),
            Holds::Date => Self::Date(Vec::new()),
        }
    }

    /// Takes a value; none where it is no such value.
    fn take(&mut self, value: Option<&str>) -> Option<()> {
        fn put<T>(
            values: &mut Vec<Option<T>>,
            value: Option<&str>,
            read: impl Fn(&str) -> Option<T>,
        ) -> Option<()> {
            values.push(match value {
                Some(text) => Some(read(text)?),
                None => None,
            });
            Some(())
        }
        match self {
            Self::Text(values) => put(values, value, |text| Some(text.to_owned())),
            Self::Whole(values) => put(values, value, |text| text.parse().ok()),
            Self::Decimal(values) => put(values, value, |text| text.parse().ok().map(Amount::atoms)),
            Self::Flag(values) => put(values, value, |text| text.parse().ok()),
            Self::Time(values) => put(values, value, |text| text.parse().ok().map(Timestamp::as_microsecond)),
            Self::Date(values) => put(values, value, |text| {
                let days = text.parse::<Date>().ok()?.since(Date::constant(1970, 1, 1)).ok()?;
                Some(days.get_days())
            }),
        }
    }

    /// What waits, as a column; nothing waits afterwards.
    fn column(&mut self, name: &str) -> PolarsResult<Column> {
        let name: PlSmallStr = name.into();
        Ok(match self {
            Self::Text(values) => Series::new(name, std::mem::take(values)).into_column(),
            Self::Whole(values) => {
                Int64Chunked::from_iter_options(name, std::mem::take(values).into_iter()).into_column()
            }
            Self::Decimal(values) => {
                Int128Chunked::from_iter_options(name, std::mem::take(values).into_iter())
                    .into_decimal(PRECISION, DECIMALS)?
                    .into_column()
            }
            Self::Flag(values) => Series::new(name, std::mem::take(values)).into_column(),
            Self::Time(values) => Int64Chunked::from_iter_options(name, std::mem::take(values).into_iter())
                .into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
                .into_column(),
            Self::Date(values) => Int32Chunked::from_iter_options(name, std::mem::take(values).into_iter())
                .into_date()
                .into_column(),
        })
    }
}

impl Partition {
    /// Begins a file; folders above it are made.
    ///
    /// # Errors
    /// The disk.
    pub fn begin(path: &Path, fields: Vec<Field>, format: Format) -> Result<Self, PartitionError> {
        let disk = |source| PartitionError::Disk { path: path.to_owned(), source };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let partial = path.with_file_name(format!(".{name}.partial"));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(disk)?;
        }
        let file = File::create(&partial).map_err(disk)?;
        let sheet = match format {
            Format::Csv => {
                let mut csv = csv::Writer::from_writer(file);
                csv.write_record(fields.iter().map(|field| &field.name))
                    .map_err(io::Error::from)
                    .map_err(disk)?;
                Sheet::Csv(Box::new(csv))
            }
            Format::Parquet => {
                let schema: Schema =
                    fields.iter().map(|field| (field.name.as_str().into(), field.holds.kind())).collect();
                let writer = ParquetWriter::new(file.try_clone().map_err(disk)?).batched(&schema).map_err(
                    |source| PartitionError::Parquet { path: path.to_owned(), source: Box::new(source) },
                )?;
                let held = fields.iter().map(|field| Values::of(field.holds)).collect();
                Sheet::Parquet { file, writer: Box::new(writer), held, count: 0 }
            }
        };
        Ok(Self { path: path.to_owned(), partial, fields, sheet, rows: 0 })
    }

    /// Writes a row: a value for each field, as Postgres spells it.
    ///
    /// # Errors
    /// The disk, or a value that is not what its field holds.
    pub fn row(&mut self, values: &[Option<&str>]) -> Result<(), PartitionError> {
        self.rows += 1;
        match &mut self.sheet {
            Sheet::Csv(csv) => {
                let written = csv.write_record(values.iter().map(|value| value.unwrap_or_default()));
                written
                    .map_err(|error| PartitionError::Disk { path: self.path.clone(), source: error.into() })
            }
            Sheet::Parquet { held, count, .. } => {
                for ((field, column), value) in self.fields.iter().zip(held.iter_mut()).zip(values) {
                    column.take(*value).ok_or_else(|| PartitionError::Value {
                        column: field.name.clone(),
                        value: value.unwrap_or_default().to_owned(),
                        holds: field.holds,
                    })?;
                }
                *count += 1;
                if *count == GROUP { self.group() } else { Ok(()) }
            }
        }
    }

    /// Writes what is held.
    fn group(&mut self) -> Result<(), PartitionError> {
        let Sheet::Parquet { writer, held, count, .. } = &mut self.sheet else { return Ok(()) };
        let mut write = || {
            let columns = self.fields.iter().zip(held.iter_mut());
            let columns =
                columns.map(|(field, values)| values.column(&field.name)).collect::<PolarsResult<_>>()?;
            writer.write_batch(&DataFrame::new(*count, columns)?)
        };
        let written: PolarsResult<()> = write();
        *count = 0;
        written
            .map_err(|source| PartitionError::Parquet { path: self.path.clone(), source: Box::new(source) })
    }

    /// Puts the file on disk and in its place; gives how many rows it has.
    ///
    /// # Errors
    /// The disk.
    pub fn finish(mut self) -> Result<u64, PartitionError> {
        let path = self.path.clone();
        let disk = |source| PartitionError::Disk { path: path.clone(), source };
        if matches!(&self.sheet, Sheet::Parquet { count, .. } if *count > 0) {
            self.group()?;
        }
        match self.sheet {
            Sheet::Csv(csv) => {
                let file = csv.into_inner().map_err(|error| disk(error.into_error()))?;
                file.sync_all().map_err(disk)?;
            }
            Sheet::Parquet { file, writer, .. } => {
                writer.finish().map_err(|source| PartitionError::Parquet {
                    path: path.clone(),
                    source: Box::new(source),
                })?;
                file.sync_all().map_err(disk)?;
            }
        }
        fs::rename(&self.partial, &self.path).map_err(disk)?;
        Ok(self.rows)
    }
}

/// Puts a text in its place, whole or not at all.
///
/// # Errors
/// The disk.
pub fn replace(path: &Path, text: &str) -> Result<(), PartitionError> {
    let disk = |source| PartitionError::Disk { path: path.to_owned(), source };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let partial = path.with_file_name(format!(".{name}.partial"));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(disk)?;
    }
    fs::write(&partial, text).map_err(disk)?;
    fs::rename(&partial, path).map_err(disk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_decimal_only_where_the_grid_holds_all_that_its_column_may() {
        for (postgres, holds) in [
            ("numeric(38,18)", Holds::Decimal),
            ("numeric(20,2)", Holds::Decimal),
            ("numeric(38,2)", Holds::Text),
            ("numeric(20,19)", Holds::Text),
            ("numeric", Holds::Text),
            ("bigint", Holds::Whole),
            ("timestamp with time zone", Holds::Time),
            ("jsonb", Holds::Text),
        ] {
            assert_eq!(Holds::of(postgres), holds, "{postgres}");
        }
    }

    #[test]
    fn what_goes_into_a_parquet_file_comes_out_of_it_exactly_and_nothing_is_there_before_its_end() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("et_date=2026-03-08/fill.parquet");
        let field = |name: &str, holds| Field { name: name.to_owned(), holds };
        let fields = vec![
            field("symbol", Holds::Text),
            field("quantity", Holds::Decimal),
            field("executed_at", Holds::Time),
            field("day", Holds::Date),
        ];
        let most = "99999999999999999999.999999999999999999";
        let mut file = Partition::begin(&path, fields, Format::Parquet).unwrap();
        file.row(&[Some("AAPL"), Some(most), Some("2026-03-08T05:00:01.000001Z"), Some("1970-01-02")])
            .unwrap();
        file.row(&[None, Some("-0.000000000000000001"), None, None]).unwrap();
        assert!(!path.exists());
        let wrong = file.row(&[None, Some("NaN"), None, None]).unwrap_err();
        assert_eq!(wrong.to_string(), "`NaN` in `quantity` is no decimal(38,18)");

        let mut file =
            Partition::begin(&path, vec![field("quantity", Holds::Decimal)], Format::Parquet).unwrap();
        for quantity in [most, "-0.000000000000000001"] {
            file.row(&[Some(quantity)]).unwrap();
        }
        assert_eq!(file.finish().unwrap(), 2);
        let read = ParquetReader::new(File::open(&path).unwrap()).finish().unwrap();
        let quantities = read.column("quantity").unwrap().decimal().unwrap().physical().to_vec();
        assert_eq!(quantities, [Some(10_i128.pow(38) - 1), Some(-1)]);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing else is left");
    }
}
