//! `hedge pnl replay`: the P&L of trades in a file, without a database.
//!
//! The file is taken whole or not at all: what is refused is named by its line, and nothing
//! is written then. Columns are found by their names.

use std::{
    fmt,
    fs::{self, File},
    io::{BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::Context;
use csv::StringRecord;
use jiff::Timestamp;

use crate::{
    book::{
        count::{Action, Counted},
        fill::Side,
        history::{History, Refused},
        pnl::{Key, Trade, TradeId, TradeType, price_of},
    },
    cli::{Exit, Out, Trouble},
    units::{Amount, Price, Shares, Usd},
};

const EXAMPLES: &str = "\
Examples:
  hedge pnl replay --events trades.csv --metrics pnl.csv --lots lots.csv

Events have the columns kind (trade, split, rename, retract), symbol, executed_at, trade_type
(ONCHAIN, OFFCHAIN), trade_id, side (BUY, SELL), quantity, price, notional, fee, ratio_num, ratio_den,
to_symbol, oracle_price and reference_price; what does not apply is empty. notional wins over price.";

/// Counts the P&L of trades in a CSV file, without a database.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The trades, and what happened to their shares.
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// Where a row per trade is written.
    #[arg(long, value_name = "FILE")]
    metrics: PathBuf,
    /// Where the lots that stay open are written.
    #[arg(long, value_name = "FILE")]
    lots: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
///
/// A file cannot be read or written, or an event is refused: nothing is written then.
pub fn run(args: &Args, out: &mut Out<'_>) -> anyhow::Result<Exit> {
    let file = File::open(&args.events)
        .with_context(|| format!("could not read the events of {}", args.events.display()))?;
    let history = read(BufReader::with_capacity(1 << 20, file))
        .map_err(|refused| refused.trouble(&args.events))?
        .play()
        .map_err(|error| Bad { line: None, why: error.to_string() }.trouble(&args.events));
    let (history, played) = history?;
    whole(&args.metrics, |file| metrics(&history, &played, file))?;
    if let Some(path) = &args.lots {
        whole(path, |file| lots(&history, &played, file))?;
    }
    let open: usize = played.books.values().map(|book| book.queue.lots().len()).sum();
    writeln!(
        out,
        "{} trades, {} matches, {open} open lots: {}",
        played.rows.len(),
        played.matches.len(),
        args.metrics.display()
    )?;
    Ok(Exit::Done)
}

/// An event that is refused.
#[derive(Debug)]
struct Bad {
    line: Option<u64>,
    why: String,
}

impl Bad {
    fn trouble(self, file: &Path) -> Trouble {
        let place = self.line.map_or_else(String::new, |line| format!(", line {line}"));
        Trouble {
            what: format!("the events of {}{place} are refused", file.display()),
            cause: self.why,
            state: "nothing was counted and nothing written".to_owned(),
            next: "mend the file; `hedge pnl replay --help` says what its columns are".to_owned(),
            exit: Exit::Failed,
        }
    }
}

impl From<Refused> for Bad {
    fn from(refused: Refused) -> Self {
        Self { line: None, why: refused.to_string() }
    }
}

/// What a line may say.
#[derive(Clone, Copy, Debug)]
enum Column {
    Kind,
    Symbol,
    ExecutedAt,
    TradeType,
    TradeId,
    Side,
    Quantity,
    Price,
    Notional,
    Fee,
    RatioNum,
    RatioDen,
    ToSymbol,
    OraclePrice,
    ReferencePrice,
}

impl Column {
    /// What they are called, in their order.
    const NAMES: [&str; 15] = [
        "kind",
        "symbol",
        "executed_at",
        "trade_type",
        "trade_id",
        "side",
        "quantity",
        "price",
        "notional",
        "fee",
        "ratio_num",
        "ratio_den",
        "to_symbol",
        "oracle_price",
        "reference_price",
    ];

    /// Where it stands among them.
    #[expect(clippy::as_conversions, reason = "a variant without fields is its place")]
    const fn place(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAMES.get(self.place()).copied().unwrap_or_default())
    }
}

/// Where the file has each column.
type Places = [Option<usize>; Column::NAMES.len()];

/// A line of the file under its header.
struct Line<'r> {
    record: &'r StringRecord,
    places: &'r Places,
}

impl Line<'_> {
    /// What stands in a column, if anything does.
    fn given(&self, column: Column) -> Option<&str> {
        let place = self.places.get(column.place())?;
        let text = self.record.get((*place)?)?;
        (!text.is_empty()).then_some(text)
    }

    fn text(&self, column: Column) -> Result<&str, String> {
        self.given(column).ok_or_else(|| format!("missing: it has no {column}"))
    }

    fn amount(&self, column: Column) -> Result<Option<Amount>, String> {
        self.given(column)
            .map(|text| amount(text).map_err(|why| format!("{why}: {column} is `{text}`")))
            .transpose()
    }

    fn read<T: FromStr>(&self, column: Column, what: &str) -> Result<T, String> {
        let text = self.text(column)?;
        text.parse().map_err(|_| format!("unreadable: {column} is `{text}`, which is no {what}"))
    }

    /// Cut to the microsecond: what Postgres keeps.
    fn time(&self) -> Result<i64, String> {
        self.read::<Timestamp>(Column::ExecutedAt, "RFC 3339 time").map(Timestamp::as_microsecond)
    }

    fn trade(&self) -> Result<Trade, String> {
        let (kind, id) = self.named()?;
        let side = self.text(Column::Side)?;
        let side = Side::named(side).ok_or_else(|| format!("unreadable: side is `{side}`"))?;
        let above_zero = |column: Column, code: &str| {
            let refused = || format!("{code}: {column} is not above zero");
            let amount = self.amount(column)?;
            amount.map(|amount| (amount > Amount::ZERO).then_some(amount).ok_or_else(refused)).transpose()
        };
        let quantity =
            above_zero(Column::Quantity, "non_positive_quantity")?.ok_or("missing: it has no quantity")?;
        let quantity = Shares(quantity);
        let price = above_zero(Column::Price, "non_positive_price")?.and_then(Price::of);
        let cash = match (self.amount(Column::Notional)?, price) {
            // A price above zero may be of so few shares that no cash is left.
            (Some(cash), Some(_)) if cash >= Amount::ZERO => Usd(cash),
            (Some(cash), None) if cash > Amount::ZERO => Usd(cash),
            (Some(_), _) => return Err("non_positive_price: notional is not above zero".to_owned()),
            (None, Some(price)) => quantity.at(price).ok_or("out_of_range: quantity × price")?,
            (None, None) => return Err("missing: it has neither price nor notional".to_owned()),
        };
        let price = match price {
            Some(price) => price,
            None => price_of(quantity, cash).ok_or("out_of_range: notional / quantity")?,
        };
        let known =
            |column: Column| above_zero(column, "non_positive_price").map(|price| price.and_then(Price::of));
        Ok(Trade {
            key: Key { at: self.time()?, kind, id },
            side,
            quantity,
            price,
            cash,
            fee: Usd(self.amount(Column::Fee)?.unwrap_or_default()),
            oracle: known(Column::OraclePrice)?,
            reference: known(Column::ReferencePrice)?,
        })
    }

    fn named(&self) -> Result<(TradeType, TradeId), String> {
        let kind = self.text(Column::TradeType)?;
        let kind = TradeType::named(kind).ok_or_else(|| format!("unreadable: trade_type is `{kind}`"))?;
        Ok((kind, self.read(Column::TradeId, "trade's id")?))
    }

    fn ratio(&self) -> Result<Action, String> {
        let part = |column: Column| {
            let part = self.amount(column)?.filter(|part| *part > Amount::ZERO);
            part.ok_or_else(|| format!("missing: {column} is no number above zero"))
        };
        Ok(Action::Split { new: part(Column::RatioNum)?, old: part(Column::RatioDen)? })
    }

    fn into(self, history: &mut History) -> Result<(), String> {
        let refused = |error: Refused| error.to_string();
        match self.text(Column::Kind)? {
            "trade" => {
                let symbol = history.symbol(self.text(Column::Symbol)?);
                history.trade(symbol, self.trade()?).map_err(refused)
            }
            "split" => {
                let symbol = history.symbol(self.text(Column::Symbol)?);
                history.action(symbol, self.time()?, self.ratio()?).map_err(refused)
            }
            "rename" => {
                let symbol = history.symbol(self.text(Column::Symbol)?);
                let to = history.symbol(self.text(Column::ToSymbol)?);
                history.action(symbol, self.time()?, Action::Rename { to }).map_err(refused)
            }
            "retract" => {
                let (kind, id) = self.named()?;
                history.retract(kind, id);
                Ok(())
            }
            other => Err(format!("unreadable: kind is `{other}`")),
        }
    }
}

/// A number of the grid, or in a word why it is none.
fn amount(text: &str) -> Result<Amount, &'static str> {
    text.parse().map_err(|_| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let number = !whole.is_empty()
            && [whole, decimals].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        match decimals.trim_end_matches('0').len() {
            _ if !number => "not_a_number",
            19.. => "too_many_decimals",
            _ => "out_of_range",
        }
    })
}

fn read(file: impl Read) -> Result<History, Bad> {
    let mut reader = csv::ReaderBuilder::new().from_reader(file);
    let unread = |error: csv::Error| {
        let line = error.position().map(csv::Position::line);
        Bad { line, why: error.to_string() }
    };
    let header = reader.headers().map_err(unread)?.clone();
    let mut places: Places = Default::default();
    for (place, name) in header.iter().enumerate() {
        let known = places.iter_mut().zip(Column::NAMES).find(|(_, known)| *known == name);
        let first = known.is_some_and(|(known, _)| known.replace(place).is_none());
        if !first {
            return Err(Bad {
                line: Some(1),
                why: format!("unreadable: no column is called `{name}`, or two are"),
            });
        }
    }
    let mut history = History::default();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(unread)? {
        let line = Line { record: &record, places: &places };
        line.into(&mut history)
            .map_err(|why| Bad { line: record.position().map(csv::Position::line), why })?;
    }
    Ok(history)
}

/// Writes a file that is there as a whole, or not at all.
fn whole(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> anyhow::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let written = || -> std::io::Result<()> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&part)?);
        write(&mut file)?;
        file.into_inner()?.sync_data()?;
        fs::rename(&part, path)
    };
    written().with_context(|| format!("could not write {}", path.display()))
}

/// Fields of a line, separated by commas.
#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn text(&mut self, text: &str) -> &mut Self {
        if text.contains([',', '"', '\n', '\r']) {
            self.0.extend_from_slice(format!("\"{}\"", text.replace('"', "\"\"")).as_bytes());
        } else {
            self.0.extend_from_slice(text.as_bytes());
        }
        self.0.push(b',');
        self
    }

    fn shown(&mut self, value: impl fmt::Display) -> &mut Self {
        // Writing into memory does not fail.
        let _ = write!(self.0, "{value},");
        self
    }

    fn amount(&mut self, amount: Amount) -> &mut Self {
        amount.spell(&mut self.0);
        self.0.push(b',');
        self
    }

    fn end(&mut self, file: &mut impl Write) -> std::io::Result<()> {
        if let Some(last) = self.0.last_mut() {
            *last = b'\n';
        }
        file.write_all(&self.0)?;
        self.0.clear();
        Ok(())
    }
}

fn metrics(history: &History, played: &Counted, file: &mut impl Write) -> std::io::Result<()> {
    file.write_all(
        b"symbol,timestamp,trade_type,trade_id,trade_direction,quantity,price_per_share,\
          realized_pnl,cumulative_pnl,net_position_after,fee,cumulative_fees\n",
    )?;
    let mut fields = Fields::default();
    for row in &played.rows {
        let (trade, figures) = (&row.trade, &row.figures);
        fields
            .text(history.name(row.symbol))
            .shown(Timestamp::from_microsecond(trade.key.at).unwrap_or_default())
            .text(trade.key.kind.word())
            .shown(trade.key.id)
            .text(trade.side.word())
            .amount(trade.quantity.0)
            .amount(trade.price.dollars());
        match figures.realized {
            Some(realized) => fields.amount(realized.0),
            None => fields.text(""),
        };
        fields
            .amount(figures.cumulative.0)
            .amount(figures.net.0)
            .amount(trade.fee.0)
            .amount(figures.fees.0)
            .end(file)?;
    }
    Ok(())
}

fn lots(history: &History, played: &Counted, file: &mut impl Write) -> std::io::Result<()> {
    file.write_all(b"symbol,position,opening,side,open_quantity,open_cost\n")?;
    let mut books: Vec<_> = played.books.iter().map(|(symbol, book)| (history.name(*symbol), book)).collect();
    books.sort_unstable_by_key(|(name, _)| *name);
    let mut fields = Fields::default();
    for (name, book) in books {
        for (position, lot) in book.queue.lots().enumerate() {
            let Key { kind, id, .. } = lot.tag.key;
            fields
                .text(name)
                .shown(position)
                .text(&format!("{kind}:{id}"))
                .text(match book.queue.side() {
                    Side::Buy => "LONG",
                    Side::Sell => "SHORT",
                })
                .amount(lot.parcel.left().0)
                .amount(lot.parcel.cost().0)
                .end(file)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_none_says_why() {
        assert_eq!(amount("0.1234567890123456789"), Err("too_many_decimals"));
        assert_eq!(amount("100000000000000000000"), Err("out_of_range"));
        for text in ["", "-", "1e3", "NaN", "1,5", "0x1"] {
            assert_eq!(amount(text), Err("not_a_number"), "{text}");
        }
    }

    #[test]
    fn a_line_that_is_refused_is_named() {
        let bad = |line: &str| {
            let text = format!("kind,symbol,executed_at,trade_type,trade_id,side,quantity,price\n{line}\n");
            let bad = read(text.as_bytes()).unwrap_err();
            (bad.line, bad.why)
        };
        assert_eq!(
            bad("trade,AAPL,2026-03-02T14:00:00Z,ONCHAIN,1,SELL,0,150"),
            (Some(2), "non_positive_quantity: quantity is not above zero".to_owned())
        );
        assert_eq!(
            bad("trade,AAPL,2026-03-02T14:00:00Z,ONCHAIN,1,SELL,1,").1,
            "missing: it has neither price nor notional"
        );
        assert_eq!(
            bad("trade,AAPL,yesterday,ONCHAIN,1,SELL,1,150").1,
            "unreadable: executed_at is `yesterday`, which is no RFC 3339 time"
        );
        assert_eq!(bad("sale,AAPL").0, Some(2));
        assert!(read("kind,symbol,shares\n".as_bytes()).is_err());
    }
}
