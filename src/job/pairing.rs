//! The second count: without a queue, by prefix sums (`accounting.md` B.3).
//!
//! Between two splits the n-th unit bought meets the n-th unit sold. So everything bought is laid
//! along one ruler, everything sold along another, and where two stretches lie upon each other,
//! there is a match, booked at the later of the two. Polars lays the rulers, of many shares at
//! once, and has no part in how the queue of [`crate::book::lot`] came to its own. Where the two
//! do not agree in every unit and every dollar, nothing may be published.

use polars::prelude::{
    Column, DataFrame, Int128Chunked, IntoColumn, IntoLazy, NamedFrom, NewChunkedArray, PolarsError, Series,
    SortMultipleOptions, UnionArgs, col, concat, lit,
};

use crate::{
    book::{
        count::{Counted, Segment},
        fill::Side,
        lot::Parcel,
        pnl::Key,
    },
    units::{Amount, Shares, Usd},
};

/// Where the two counts differ, or why they could not be held together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{of}: {what}")]
pub struct Differs {
    /// The trade, or what was laid.
    pub of: String,
    /// In which way.
    pub what: String,
}

impl Differs {
    fn at(key: Key, what: impl Into<String>) -> Self {
        Self { of: format!("{} {}", key.kind, key.id), what: what.into() }
    }

    fn ruler(what: impl Into<String>) -> Self {
        Self { of: "the rulers".to_owned(), what: what.into() }
    }
}

impl From<PolarsError> for Differs {
    fn from(error: PolarsError) -> Self {
        Self::ruler(error.to_string())
    }
}

/// A stretch of a ruler.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// Whose units these are; none: nobody's, where the other side is longer.
    of: Option<(Key, Parcel)>,
    units: i128,
}

/// What is bought or sold in segments, one after the other.
#[derive(Debug, Default)]
struct Ruler(Vec<Stretch>);

impl Ruler {
    /// Lays units, and says how long they are with what was laid of the segment before.
    fn lay(&mut self, so_far: i128, of: Option<(Key, Parcel)>, units: Shares) -> Result<i128, Differs> {
        let units = units.0.atoms();
        self.0.push(Stretch { of, units });
        so_far.checked_add(units).ok_or_else(|| Differs::ruler("they are longer than 128 bits"))
    }

    /// Where each stretch ends, with a mark of its side.
    fn ends(&self, bought: bool) -> Result<DataFrame, Differs> {
        let units: Vec<i128> = self.0.iter().map(|stretch| stretch.units).collect();
        let sides = |marked: bool| vec![u32::from(marked); units.len()];
        let columns: Vec<Column> = vec![
            Int128Chunked::from_slice("units".into(), &units).into_column(),
            Series::new("bought".into(), sides(bought)).into_column(),
            Series::new("sold".into(), sides(!bought)).into_column(),
        ];
        Ok(DataFrame::new(units.len(), columns)?)
    }
}

/// A stretch of a bought and one of a sold ruler that lie upon each other.
struct Overlap {
    bought: usize,
    sold: usize,
    units: i128,
}

fn overlaps(bought: &Ruler, sold: &Ruler) -> Result<Vec<Overlap>, Differs> {
    let ends = |ruler: &Ruler, side| -> Result<_, Differs> {
        Ok(ruler.ends(side)?.lazy().with_column(col("units").cum_sum(false).alias("end")))
    };
    let laid = concat([ends(bought, true)?, ends(sold, false)?], UnionArgs::default())?
        .sort(["end"], SortMultipleOptions::default())
        .select([
            (col("end") - col("end").shift(lit(1)).fill_null(lit(0))).alias("units"),
            // How many ended before: that is which one lies here.
            (col("bought").cum_sum(false) - col("bought")).alias("bought"),
            (col("sold").cum_sum(false) - col("sold")).alias("sold"),
        ])
        .filter(col("units").gt(lit(0)))
        .collect()?;
    let places = |name: &str| -> Result<Vec<usize>, Differs> {
        let places =
            laid.column(name)?.u32()?.iter().map(|place| place.and_then(|place| usize::try_from(place).ok()));
        places.collect::<Option<_>>().ok_or_else(|| Differs::ruler("a place is missing"))
    };
    let units = laid.column("units")?.i128()?.iter().collect::<Option<Vec<i128>>>();
    let units = units.ok_or_else(|| Differs::ruler("a length is missing"))?;
    let pairs = places("bought")?.into_iter().zip(places("sold")?).zip(units);
    Ok(pairs.map(|((bought, sold), units)| Overlap { bought, sold, units }).collect())
}

/// A segment on the rulers.
struct Laid<'c> {
    counted: &'c Counted,
    segment: &'c Segment,
    /// How many stretches of the bought ruler end with it.
    bought_to: usize,
}

/// Counts all these a second time.
///
/// # Errors
///
/// The first place where the two counts differ. Stop: one of them is wrong.
pub fn agree(counts: &[&Counted]) -> Result<(), Differs> {
    let (mut bought, mut sold) = (Ruler::default(), Ruler::default());
    let mut laid = Vec::new();
    let mut all = 0_i128;
    for counted in counts {
        for segment in &counted.segments {
            let (mut long, mut short) = (0, 0);
            for lot in segment.opening.iter().flat_map(|(side, lots)| lots.iter().map(move |lot| (side, lot)))
            {
                let (side, lot) = lot;
                let of = Some((lot.tag.key, lot.parcel));
                match side {
                    Side::Buy => long = bought.lay(long, of, lot.parcel.left())?,
                    Side::Sell => short = sold.lay(short, of, lot.parcel.left())?,
                }
            }
            for row in segment.trades.iter().filter_map(|place| counted.rows.get(*place)) {
                let parcel = Parcel::whole(row.trade.quantity, row.trade.cash);
                let parcel = parcel.ok_or_else(|| Differs::at(row.trade.key, "it has no shares"))?;
                let of = Some((row.trade.key, parcel));
                match row.trade.side {
                    Side::Buy => long = bought.lay(long, of, row.trade.quantity)?,
                    Side::Sell => short = sold.lay(short, of, row.trade.quantity)?,
                }
            }
            // Both end in the same place: what nobody's lies upon stays open.
            let rest = |units: i128| Stretch { of: None, units };
            match long.cmp(&short) {
                std::cmp::Ordering::Less => bought.0.push(rest(short - long)),
                std::cmp::Ordering::Greater => sold.0.push(rest(long - short)),
                std::cmp::Ordering::Equal => {}
            }
            all = all
                .checked_add(long.max(short))
                .ok_or_else(|| Differs::ruler("they are longer than 128 bits"))?;
            laid.push(Laid { counted, segment, bought_to: bought.0.len() });
        }
    }
    let overlaps = overlaps(&bought, &sold)?;
    let mut overlaps = overlaps.iter().peekable();
    for Laid { counted, segment, bought_to } in laid {
        let mut here = Vec::new();
        while let Some(overlap) = overlaps.next_if(|overlap| overlap.bought < bought_to) {
            let stretches = bought.0.get(overlap.bought).zip(sold.0.get(overlap.sold));
            let (long, short) = stretches.ok_or_else(|| Differs::ruler("a place is on no ruler"))?;
            here.push((long.of, short.of, overlap.units));
        }
        held(counted, segment, &here)?;
    }
    Ok(())
}

/// What was handed out of the stretch of a ruler that was met last: of those before it, all was.
#[derive(Default)]
struct Given(Option<(Key, Shares)>);

impl Given {
    /// Dollars of the next so many units: `R(N·b/Q) − R(N·a/Q)`.
    fn money(&mut self, key: Key, parcel: &Parcel, units: Shares) -> Option<Usd> {
        let from = self.0.filter(|(of, _)| *of == key).map_or(parcel.used, |(_, given)| given);
        let to = from.plus(units)?;
        self.0 = Some((key, to));
        let worth = |units: Shares| parcel.cash.0.portion(units.0, parcel.quantity.0).map(Usd);
        worth(to)?.minus(worth(from)?)
    }
}

type Pair = (Option<(Key, Parcel)>, Option<(Key, Parcel)>, i128);

/// Holds one segment of the loop against what lies on the rulers.
fn held(counted: &Counted, segment: &Segment, laid: &[Pair]) -> Result<(), Differs> {
    let mut matches = segment.matches.iter().filter_map(|place| counted.matches.get(*place));
    let (mut buys, mut sales) = (Given::default(), Given::default());
    // In the order of the closing trades, as the rulers run.
    let mut realized: Vec<(Key, Usd)> = Vec::new();
    let mut open: Vec<(Key, Shares, Usd)> = Vec::new();
    let off = || Differs::ruler("a number is beyond the grid");
    for (long, short, units) in laid {
        let units = Amount::from_atoms(*units).map(Shares).ok_or_else(off)?;
        match (long, short) {
            (Some((buy, of_buy)), Some((sale, of_sale))) => {
                let paid = buys.money(*buy, of_buy, units).ok_or_else(off)?;
                let brought = sales.money(*sale, of_sale, units).ok_or_else(off)?;
                let pnl = brought.minus(paid).ok_or_else(off)?;
                let (opening, closing) = (buy.min(sale), buy.max(sale));
                match realized.last_mut() {
                    Some((of, sum)) if of == closing => *sum = sum.plus(pnl).ok_or_else(off)?,
                    _ => realized.push((*closing, pnl)),
                }
                let met = matches.next().ok_or_else(|| Differs::at(*closing, "a match is missing"))?;
                if (met.opening, met.closing) != (*opening, *closing) {
                    let against = format!("it meets {}, counted again {}", met.opening.id, opening.id);
                    return Err(Differs::at(*closing, against));
                }
                if (met.quantity, met.pnl) != (units, pnl) {
                    let (quantity, earned) = (met.quantity, met.pnl);
                    let what =
                        format!("{quantity} shares earned {earned}, counted again {units} earned {pnl}");
                    return Err(Differs::at(*closing, what));
                }
            }
            (Some((key, parcel)), None) => {
                let cost = buys.money(*key, parcel, units).ok_or_else(off)?;
                open.push((*key, units, cost));
            }
            (None, Some((key, parcel))) => {
                let cost = sales.money(*key, parcel, units).ok_or_else(off)?;
                open.push((*key, units, cost));
            }
            (None, None) => return Err(off()),
        }
    }
    if let Some(more) = matches.next() {
        return Err(Differs::at(more.closing, "a match too many"));
    }
    let left: Vec<_> = segment
        .closing
        .iter()
        .flat_map(|(_, lots)| lots)
        .map(|lot| (lot.tag.key, lot.parcel.left(), lot.parcel.cost()))
        .collect();
    if let Some((counted, _)) = left.iter().zip(&open).find(|(counted, again)| counted != again) {
        return Err(Differs::at(counted.0, "what stays open of it differs"));
    }
    if left.len() != open.len() {
        return Err(Differs::ruler(format!("{} lots stay open, counted again {}", left.len(), open.len())));
    }
    let mut realized = realized.into_iter().peekable();
    for row in segment.trades.iter().filter_map(|place| counted.rows.get(*place)) {
        let again = realized.next_if(|(of, _)| *of == row.trade.key).map(|(_, sum)| sum);
        if row.figures.realized != again {
            return Err(Differs::at(row.trade.key, "what it realized differs"));
        }
    }
    realized.next().map_or(Ok(()), |(of, _)| Err(Differs::at(of, "it realized something and is no trade")))
}
