//! How it reads: rows as a table for people, as JSON or CSV for programs.
//!
//! - [`table`]: columns and rows, and the three ways to write them
//! - [`partition`]: one day of a table as a file, Parquet or CSV
//!
//! It takes rows, not a pool, and changes no value: what a program reads is exact.

pub mod partition;
pub mod table;

pub use table::{Column, Form, Kind, Table};
