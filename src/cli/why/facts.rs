//! What the books know of a share, as of one moment.

use jiff::Timestamp;
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::telling::age;
use crate::{
    book::fill::Side,
    store::{
        StoreError, exposure,
        halts::{self, Halt},
        lease::{self, Holder},
        types::At,
    },
    units::{Price, Shares, Usd},
};

/// All that is known of a share.
#[derive(Clone, Debug)]
pub struct Why {
    /// Its ticker.
    pub symbol: String,
    /// When it was asked.
    pub now: Timestamp,
    /// What is exposed; none where nothing is known of it.
    pub position: Option<Position>,
    /// Shares of which something is known, where nothing is of this one.
    pub known: Vec<String>,
    /// Fills that do not count yet, and what they sum to.
    pub unreleased: (i64, Shares),
    /// What the exposure is made of, oldest first.
    pub parts: Vec<Part>,
    /// Its live orders, and the last that closed, oldest first.
    pub orders: Vec<OrderSeen>,
    /// Halts that concern it.
    pub halts: Vec<Halt>,
    /// Whether hedging has begun.
    pub live: bool,
    /// Who hedges, or did last.
    pub holder: Option<Holder>,
}

/// What is exposed, and of what that is the sum.
#[derive(Clone, Debug)]
pub struct Position {
    /// Not hedged and not being hedged.
    pub exposure: Shares,
    /// Released fills.
    pub onchain: Shares,
    /// Executions of our orders.
    pub hedged: Shares,
    /// What a person stated.
    pub stated: Shares,
    /// What live orders would still do.
    pub in_flight: Shares,
    /// Its worth by the last fill, where that has a price.
    pub worth: Option<(Usd, Price, Timestamp)>,
    /// Why nothing is done, in a word and in a sentence, and since when.
    pub hold: Option<(String, String, Timestamp)>,
}

/// A part of an exposure.
#[derive(Clone, Debug)]
pub struct Part {
    /// When it was traded, or stated.
    pub at: Timestamp,
    /// What of it is not hedged, above zero.
    pub quantity: Shares,
    /// What it is.
    pub what: PartOf,
}

/// What a part of an exposure is.
#[derive(Clone, Debug)]
pub enum PartOf {
    /// A fill on chain.
    Fill {
        /// Our side of it.
        side: Side,
        /// All of it.
        of: Shares,
        /// Dollars per share, where it has some.
        price: Option<Price>,
        /// Its block.
        block: i64,
        /// The place of its log there.
        log: i32,
        /// Its transaction.
        tx: String,
    },
    /// A trade of our own at a broker, whose reason is gone.
    Execution {
        /// The order that it was of.
        order: i64,
        /// The broker's id.
        id: String,
    },
    /// Somebody stated it.
    Stated,
}

/// An order, as far as it explains anything.
#[derive(Clone, Debug)]
pub struct OrderSeen {
    /// Its number.
    pub id: i64,
    /// Where it is.
    pub venue: String,
    /// Who asked for it; none for a hedge.
    pub author: Option<String>,
    /// Buy or sell.
    pub side: String,
    /// Shares asked for.
    pub quantity: Shares,
    /// The limit, where it has one.
    pub limit: Option<Price>,
    /// How far it got.
    pub state: String,
    /// Why it is closed.
    pub why: Option<String>,
    /// What a refusal was about.
    pub refusal: Option<String>,
    /// Shares filled.
    pub filled: Shares,
    /// Dollars per share of these.
    pub price: Option<Price>,
    /// When it left.
    pub sent_at: Option<Timestamp>,
    /// When its cancel was asked for.
    pub cancel_asked_at: Option<Timestamp>,
    /// Since when it is what it is.
    pub since: Timestamp,
    /// What happened to it last, searches aside: in a word, in a sentence, and when.
    pub last: Option<(String, String, Timestamp)>,
    /// The broker's words about that, as they came.
    pub said: Option<String>,
    /// How often it was looked for in vain.
    pub searches: i64,
}

impl Why {
    /// Reads it all.
    ///
    /// # Errors
    ///
    /// The database.
    pub async fn read(conn: &mut PgConnection, symbol: &str, now: Timestamp) -> Result<Self, StoreError> {
        let books = async {
            let position = sqlx::query(include_str!("../../../sql/queries/why_position.sql"))
                .bind(symbol)
                .fetch_optional(&mut *conn)
                .await?
                .map(|row| Position::of(&row))
                .transpose()?;
            let known = if position.is_some() {
                Vec::new()
            } else {
                sqlx::query_scalar(include_str!("../../../sql/queries/why_symbols.sql"))
                    .fetch_all(&mut *conn)
                    .await?
            };
            let unreleased = sqlx::query(include_str!("../../../sql/queries/why_unreleased.sql"))
                .bind(symbol)
                .fetch_one(&mut *conn)
                .await?;
            let unreleased = (unreleased.try_get("fills")?, unreleased.try_get("quantity")?);
            let exposure = position.as_ref().map(|position| position.exposure).unwrap_or_default();
            let side = if exposure < Shares::ZERO { Side::Sell } else { Side::Buy };
            let parts = if exposure == Shares::ZERO {
                Vec::new()
            } else {
                sqlx::query(include_str!("../../../sql/queries/why_parts.sql"))
                    .bind(symbol)
                    .bind(side.word())
                    .bind(exposure.abs())
                    .fetch_all(&mut *conn)
                    .await?
            };
            let orders = sqlx::query(include_str!("../../../sql/queries/why_orders.sql"))
                .bind(symbol)
                .fetch_all(&mut *conn)
                .await?;
            Ok((
                position,
                known,
                unreleased,
                parts.iter().map(|row| Part::of(row, side)).collect::<Result<_, sqlx::Error>>()?,
                orders.iter().map(OrderSeen::of).collect::<Result<_, sqlx::Error>>()?,
            ))
        };
        let (position, known, unreleased, parts, orders) = books
            .await
            .map_err(|error: sqlx::Error| StoreError::of("read what is known of a share", error))?;
        let halts = halts::halts(conn).await?;
        Ok(Self {
            symbol: symbol.to_owned(),
            now,
            position,
            known,
            unreleased,
            parts,
            orders,
            halts: halts
                .into_iter()
                .filter(|halt| halt.symbol.as_deref().is_none_or(|halted| halted == symbol))
                .collect(),
            live: !exposure::live_sources(conn).await?.is_empty(),
            holder: lease::holder(conn).await?,
        })
    }

    /// What is exposed.
    pub fn exposure(&self) -> Shares {
        self.position.as_ref().map(|position| position.exposure).unwrap_or_default()
    }

    /// How long ago something was, as people say it.
    pub fn age(&self, at: Timestamp) -> String {
        age(self.now.duration_since(at))
    }

    /// The orders that are not closed.
    pub fn live_orders(&self) -> impl Iterator<Item = &OrderSeen> {
        self.orders.iter().filter(|order| order.why.is_none())
    }
}

impl Position {
    fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        let worth: (Option<Usd>, Option<Price>, Option<At>) =
            (row.try_get("exposure_usd")?, row.try_get("last_fill_price")?, row.try_get("last_fill_at")?);
        let hold: (Option<String>, Option<String>, Option<At>) =
            (row.try_get("hold")?, row.try_get("hold_detail")?, row.try_get("hold_since")?);
        Ok(Self {
            exposure: row.try_get("exposure")?,
            onchain: row.try_get("onchain")?,
            hedged: row.try_get("hedged")?,
            stated: row.try_get("stated")?,
            in_flight: row.try_get("in_flight")?,
            worth: match worth {
                (Some(worth), Some(price), Some(At(at))) => Some((worth, price, at)),
                _ => None,
            },
            hold: match hold {
                (Some(reason), Some(detail), Some(At(since))) => Some((reason, detail, since)),
                _ => None,
            },
        })
    }
}

impl Part {
    fn of(row: &PgRow, side: Side) -> Result<Self, sqlx::Error> {
        let what = match row.try_get::<&str, _>("what")? {
            "fill" => PartOf::Fill {
                side,
                of: row.try_get("of")?,
                price: row.try_get("price")?,
                block: row.try_get("block_number")?,
                log: row.try_get("log_index")?,
                tx: row.try_get("tx_hash")?,
            },
            "execution" => {
                PartOf::Execution { order: row.try_get("order_id")?, id: row.try_get("execution_id")? }
            }
            _ => PartOf::Stated,
        };
        Ok(Self { at: row.try_get::<At, _>("at")?.0, quantity: row.try_get("quantity")?, what })
    }
}

impl OrderSeen {
    fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        let time = |column| Ok::<_, sqlx::Error>(row.try_get::<Option<At>, _>(column)?.map(|at| at.0));
        let last: (Option<String>, Option<String>, Option<Timestamp>) =
            (row.try_get("event")?, row.try_get("detail")?, time("happened_at")?);
        Ok(Self {
            id: row.try_get("order_id")?,
            venue: row.try_get("venue")?,
            author: row.try_get("author")?,
            side: row.try_get("side")?,
            quantity: row.try_get("quantity")?,
            limit: row.try_get("limit_price")?,
            state: row.try_get("state")?,
            why: row.try_get("why")?,
            refusal: row.try_get("refusal")?,
            filled: row.try_get("filled")?,
            price: row.try_get("average_price")?,
            sent_at: time("sent_at")?,
            cancel_asked_at: time("cancel_asked_at")?,
            since: row.try_get::<At, _>("since")?.0,
            last: match last {
                (Some(event), Some(detail), Some(at)) => Some((event, detail, at)),
                _ => None,
            },
            said: row.try_get("evidence")?,
            searches: row.try_get("searches")?,
        })
    }
}
