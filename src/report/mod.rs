//! How it reads: rows as a table for people, as JSON or CSV for programs; charts and mails.
//!
//! - [`table`]: columns and rows, and the three ways to write them
//! - [`figure`]: figures and times as a person reads them
//! - [`statement`]: a day's P&L as people read it
//! - [`statement_page`]: the same as a page, for screens and A4
//! - [`chart`]: lines and bars, as SVG and PNG
//! - [`mail`]: what is told of a run, as text and as HTML
//! - [`partition`]: one day of a table as a file, Parquet or CSV
//!
//! It takes rows, not a pool, and changes no value: what a program reads is exact.

pub mod chart;
pub mod figure;
pub mod mail;
pub mod partition;
pub mod statement;
pub mod statement_page;
pub mod table;

pub use table::{Column, Form, Kind, Table};
