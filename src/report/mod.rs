//! How it reads: rows as a table for people, as JSON or CSV for programs.
//!
//! - [`table`]: columns and rows, and the three ways to write them
//! - [`statement`]: a day's P&L as people read it
//!
//! It takes rows, not a pool, and changes no value: what a program reads is exact.

pub mod statement;
pub mod table;

pub use table::{Column, Form, Kind, Table};
