//! The lots of a book, as a snapshot keeps them: everything that counting on from them needs.

use serde::{Deserialize, Serialize};

use crate::{
    book::{
        fill::Side,
        lot::{Lot, Parcel, Queue},
        pnl::{Book, Key, Opening, TradeId, TradeType},
    },
    units::{Amount, Price, Shares, Usd},
};

/// A lot in a snapshot.
#[derive(Serialize, Deserialize)]
struct Kept {
    at: i64,
    kind: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<(u64, u64)>,
    side: String,
    quantity: String,
    cash: String,
    used: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    oracle: Option<String>,
}

/// The lots of a book, as a snapshot keeps them.
pub(super) fn kept(book: &Book) -> String {
    let lots: Vec<Kept> = book
        .queue
        .lots()
        .map(|Lot { tag, parcel }| Kept {
            at: tag.key.at,
            kind: tag.key.kind.word().to_owned(),
            id: tag.key.id.to_string(),
            place: match tag.key.id {
                TradeId::Execution { order, tie, .. } => Some((order, tie)),
                TradeId::Number(_) | TradeId::Log { .. } => None,
            },
            side: book.queue.side().word().to_owned(),
            quantity: parcel.quantity.to_string(),
            cash: parcel.cash.to_string(),
            used: parcel.used.to_string(),
            oracle: tag.oracle.map(|oracle| oracle.to_string()),
        })
        .collect();
    // Texts and numbers are always written.
    serde_json::to_string(&lots).unwrap_or_else(|_| "[]".to_owned())
}

pub(super) fn unkept(text: &str) -> Option<Queue<Opening>> {
    let kept: Vec<Kept> = serde_json::from_str(text).ok()?;
    let side = kept.first().map_or(Some(Side::Buy), |lot| Side::named(&lot.side))?;
    let lots = kept.into_iter().map(|lot| {
        let id = match (lot.id.parse().ok()?, lot.place) {
            (TradeId::Number(number), Some((order, tie))) => TradeId::Execution { order, tie, number },
            (id, _) => id,
        };
        let key = Key { at: lot.at, kind: TradeType::named(&lot.kind)?, id };
        let oracle = match lot.oracle {
            Some(oracle) => Some(Price::of(oracle.parse().ok()?)?),
            None => None,
        };
        let [quantity, cash, used] =
            [lot.quantity, lot.cash, lot.used].map(|text| text.parse::<Amount>().ok());
        let parcel = Parcel::resumed(Shares(quantity?), Usd(cash?), Shares(used?))?;
        Some(Lot { tag: Opening { key, oracle }, parcel })
    });
    Queue::of(side, lots.collect::<Option<Vec<_>>>()?).ok()
}
