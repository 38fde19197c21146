//! `hedge doctor`.
use super::{Desk, Exit, Out};
/// Not yet.
#[derive(Debug, clap::Args)]
pub struct Args {}
/// Runs it.
pub async fn run(_args: &Args, _desk: &Desk, _out: &mut Out<'_>) -> anyhow::Result<Exit> {
    Ok(Exit::Done)
}
