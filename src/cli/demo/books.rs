//! What is in the tables at the end, and whether it is the truth.

use std::collections::BTreeSet;

use sqlx::postgres::PgArguments;

use super::{Stage, Voice};
use crate::{cli::show, report::Form, sim::SimFill, store::StoreError};

/// Tables that are shown: the first line of each says what it is.
const TABLES: [&str; 4] = [
    include_str!("../../../sql/queries/demo_last_fills.sql"),
    include_str!("../../../sql/queries/demo_cursors.sql"),
    include_str!("../../../sql/queries/demo_coverage.sql"),
    include_str!("../../../sql/queries/demo_reorgs.sql"),
];

/// Queries to try, shown with what they answer.
const TO_TRY: [&str; 3] = [
    include_str!("../../../sql/queries/demo_fills.sql"),
    include_str!("../../../sql/queries/demo_orphans.sql"),
    include_str!("../../../sql/queries/demo_lies.sql"),
];

impl Stage {
    /// Shows the tables, and lays the fills beside the chain.
    pub(super) async fn show_tables(&self, voice: &mut Voice<'_, '_>) -> anyhow::Result<()> {
        self.show(&TABLES, voice).await?;
        let (fills, wrong) = self.compared().await?;
        voice.say(&match wrong {
            0 => format!(
                "\nLaid beside the chain: all {fills} invented fills of ours are in the books, each once and exact."
            ),
            _ => format!("\nLaid beside the chain: {wrong} fills are not as they should be. Please report it."),
        })?;
        Ok(())
    }

    /// Shows what queries answer, below the first line of each.
    pub(super) async fn show(
        &self,
        tables: &[&'static str],
        voice: &mut Voice<'_, '_>,
    ) -> anyhow::Result<()> {
        for sql in tables {
            let caption = sql.lines().next().unwrap_or_default();
            voice.say(&format!("\n{}", caption.trim_start_matches("-- ")))?;
            self.answer(sql, voice).await?;
        }
        Ok(())
    }

    /// Shows queries and what they answer.
    pub(super) async fn show_queries(&self, voice: &mut Voice<'_, '_>) -> anyhow::Result<()> {
        for sql in TO_TRY {
            voice.say(&format!("\n{};", sql.trim_end()))?;
            self.answer(sql, voice).await?;
        }
        Ok(())
    }

    async fn answer(&self, sql: &'static str, voice: &mut Voice<'_, '_>) -> anyhow::Result<()> {
        let table = show::answer(self.sources.db.pool(), sql, PgArguments::default()).await?;
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        Ok(table.write(Form::People, &columns, voice.out)?)
    }

    /// How many fills of ours were invented, and how many of these or of the books' have no counterpart.
    ///
    /// Dust that the books skip with a reason is no fill on either side.
    async fn compared(&self) -> anyhow::Result<(usize, usize)> {
        let written: Vec<(String, Option<String>)> =
            sqlx::query_as(include_str!("../../../sql/queries/demo_compare.sql"))
                .fetch_all(self.sources.db.pool())
                .await
                .map_err(|error| StoreError::of("compare the books with the chain", error))?;
        let (fills, skipped): (Vec<_>, Vec<_>) = written.into_iter().partition(|(_, fill)| fill.is_some());
        let books: BTreeSet<_> =
            fills.into_iter().map(|(place, fill)| (place, fill.unwrap_or_default())).collect();
        let skipped: BTreeSet<_> = skipped.into_iter().map(|(place, _)| place).collect();
        let truth: BTreeSet<_> = self
            .node
            .chain()
            .canonical_fills()
            .into_iter()
            .filter(|fill| fill.ours)
            .map(|SimFill { tx_hash, log_index, role, side, quantity, usdc, .. }| {
                (
                    format!("{tx_hash} {log_index}"),
                    format!("{} {} {quantity} {usdc}", role.as_str(), side.as_str()),
                )
            })
            .filter(|(place, _)| !skipped.contains(place))
            .collect();
        Ok((truth.len(), truth.symmetric_difference(&books).count()))
    }
}
