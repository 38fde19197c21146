//! The head moves, the chain changes its mind, and the node keeps a log to itself.
//!
//! What is told here is read from the books, never from the script: had the
//! indexer not noticed, nothing would be said.

use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::watch;

use super::{Stage, Voice};
use crate::{
    cli::index::{self, Following},
    engine::{Stop, indexer::Progress, stopped},
    sim::{Fault, Mix, Pick, Rate, Reorg, SimNode},
    store::StoreError,
    time::Clock,
};

/// Blocks of the act.
pub(super) const ACT: u64 = 12;
const BLOCK_TIME: Duration = Duration::from_millis(500);
/// Of so many blocks …
const ROUND: u64 = 40;
/// … one is where the chain changes its mind, and of one the node does not tell all logs.
const REORG_AT: u64 = 5;
const LIE_AT: u64 = 9;
/// What is said beside a block is aligned with what is said of it.
const MARGIN: &str = "                 ";
const REORG: Reorg = Reorg { depth: 3, length: 4 };

impl Stage {
    /// Follows the head while it moves: for so many blocks, or until told to stop.
    pub(super) async fn follow(
        &self,
        blocks: Option<u64>,
        voice: &mut Voice<'_, '_>,
        stop: &Stop,
    ) -> anyhow::Result<()> {
        let (end, ended) = watch::channel(false);
        let Following { work, mut shown } = index::follow(&self.sources, self.sources.ready(None)?, &ended);
        if let Some((_, progress)) = shown.pop() {
            let mut narrator = Narrator::begin(self.sources.db.pool(), progress, blocks.is_some()).await?;
            let mut told = stop.clone();
            tokio::select! {
                () = stopped(&mut told) => {}
                said = async {
                    tokio::select! {
                        () = mine(&self.node, &self.sources.clock, blocks) => {}
                        said = narrator.tell(voice, None) => said?,
                    }
                    let head = self.node.chain().head().number;
                    narrator.tell(voice, Some(head)).await
                } => said?,
            }
        }
        // Nobody listening any more is an end as well.
        let _ = end.send(true);
        index::until_all_end(work).await
    }
}

/// Mines so many blocks, or for ever.
async fn mine(node: &SimNode, clock: &Clock, blocks: Option<u64>) {
    let chain = node.chain();
    chain.keep_inventing(
        chain.head().number,
        Rate::per_block(2),
        Mix { foreign: 0, other_pairs: 0, ..Mix::full() },
    );
    for number in 1..=blocks.unwrap_or(u64::MAX) {
        clock.sleep(BLOCK_TIME).await;
        let in_round = number % ROUND;
        if in_round == REORG_AT {
            chain.reorg_with(REORG);
            continue;
        }
        if in_round == LIE_AT {
            let next = chain.head().number + 1;
            let weather = node.weather();
            node.set_weather(weather.with(Fault::OmitLog(Pick::Any).always().about(next)));
        }
        chain.mine_invented(1);
    }
}

/// Tells what the books take in.
struct Narrator<'p> {
    pool: &'p PgPool,
    progress: watch::Receiver<Progress>,
    told: Progress,
    lies: i64,
    /// Whether each block is told of, or only what is remarkable.
    every_block: bool,
}

impl<'p> Narrator<'p> {
    async fn begin(
        pool: &'p PgPool,
        progress: watch::Receiver<Progress>,
        every_block: bool,
    ) -> anyhow::Result<Self> {
        let lies = last_lie(pool).await?.map_or(0, |(lies, ..)| lies);
        Ok(Self { pool, progress, told: Progress::default(), lies, every_block })
    }

    /// Tells what comes, until a block is reached or for ever.
    async fn tell(&mut self, voice: &mut Voice<'_, '_>, until: Option<u64>) -> anyhow::Result<()> {
        while until.is_none_or(|until| self.told.number < until) {
            let now = *self.progress.borrow_and_update();
            self.tell_of(now, voice).await?;
            self.told = now;
            if until.is_none_or(|until| now.number < until) && self.progress.changed().await.is_err() {
                break;
            }
        }
        Ok(())
    }

    async fn tell_of(&mut self, now: Progress, voice: &mut Voice<'_, '_>) -> anyhow::Result<()> {
        let fills = i64::try_from(now.fills - self.told.fills).unwrap_or(i64::MAX);
        if now.reorgs > self.told.reorgs {
            let (fork, depth, taken) = last_reorg(self.pool).await?;
            voice.say(&format!(
                "block {}   the chain changed its mind after block {fork}:\n{MARGIN}\
                 {} and {} of ours are taken back, and kept; {} in their place",
                now.number,
                counted(depth, "block"),
                counted(taken, "log"),
                counted(fills, "fill"),
            ))?;
        } else if self.every_block && now.number > self.told.number && self.told.number > 0 {
            voice.say(&format!("block {}   {}", now.number, counted(fills, "fill")))?;
        }
        if let Some((lies, node, block)) = last_lie(self.pool).await?
            && lies > self.lies
        {
            voice.say(&format!(
                "{MARGIN}{node} left a log of block {block} out. The block's header gave it away,\n{MARGIN}\
                 its receipts proved the log, and the node's words are on record"
            ))?;
            self.lies = lies;
        }
        Ok(())
    }
}

fn counted(number: i64, thing: &str) -> String {
    match number {
        0 => format!("no {thing}"),
        1 => format!("1 {thing}"),
        many => format!("{many} {thing}s"),
    }
}

/// How many contradictions there are; of the last one, who was caught, and about which block.
async fn last_lie(pool: &PgPool) -> Result<Option<(i64, String, i64)>, StoreError> {
    let asked = sqlx::query_as(include_str!("../../../sql/queries/demo_last_lie.sql"));
    asked.fetch_optional(pool).await.map_err(|error| StoreError::of("read contradictions", error))
}

/// The block before the fork, how many blocks were left, and how many logs of ours with them.
async fn last_reorg(pool: &PgPool) -> Result<(i64, i64, i64), StoreError> {
    let asked = sqlx::query_as(include_str!("../../../sql/queries/demo_last_reorg.sql"));
    asked.fetch_one(pool).await.map_err(|error| StoreError::of("read reorgs", error))
}
