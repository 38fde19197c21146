//! What is asked of the books: a query each, the columns of it that people see, and what is said
//! where there is no row.

use super::sheet::{Field, Show};

/// A section that is rows of a query.
pub(super) struct Question {
    pub(super) key: &'static str,
    pub(super) title: &'static str,
    pub(super) note: &'static str,
    pub(super) sql: &'static str,
    pub(super) fields: &'static [Field],
    pub(super) empty: &'static str,
}

const fn field(name: &'static str, head: &'static str, show: Show) -> Field {
    Field { name, head, show }
}

pub(super) const POSITIONS: Question = Question {
    key: "exposure",
    title: "What is exposed",
    note: "Position and orders in flight, at the price of the last fill; the largest first. Dollar-minutes: how many dollars for how long.",
    sql: include_str!("../../sql/queries/web_positions.sql"),
    fields: &[
        field("symbol", "Symbol", Show::Symbol),
        field("exposure", "Exposure, shares", Show::Quantity),
        field("exposure_usd", "Exposure, $", Show::Dollars),
        field("exposed_since", "Since", Show::Time),
        field("dollar_minutes", "Unhedged, $ × min", Show::Dollars),
        field("doing", "What is done about it", Show::Words),
    ],
    empty: "Nothing was ever exposed. Fills of your orders show up here: see that `hedge run` reads, below.",
};

/// The same of one share, whole.
pub(super) const POSITION: &[Field] = &[
    field("exposure", "Exposure, shares", Show::Quantity),
    field("exposure_usd", "Exposure, $", Show::Dollars),
    field("exposed_since", "Exposed since", Show::Time),
    field("dollar_minutes", "Unhedged, $ × min", Show::Dollars),
    field("position", "Position, shares", Show::Quantity),
    field("onchain", "Traded on chain, shares", Show::Quantity),
    field("hedged", "Hedged at brokers, shares", Show::Quantity),
    field("stated", "Stated by a person, shares", Show::Quantity),
    field("in_flight", "In flight, shares", Show::Quantity),
    field("last_fill_price", "Last fill, $ a share", Show::Price),
    field("last_fill_at", "Last fill at", Show::Time),
    field("doing", "What is done about it", Show::Words),
];

pub(super) const ORDERS: &[Field] = &[
    field("order_id", "Order", Show::Order),
    field("symbol", "Symbol", Show::Symbol),
    field("side", "Side", Show::Words),
    field("quantity", "Quantity, shares", Show::Quantity),
    field("filled", "Filled, shares", Show::Quantity),
    field("average_price", "At, $ a share", Show::Price),
    field("state", "State", Show::Life),
    field("planned_at", "Planned", Show::Time),
    field("venue", "Venue", Show::Words),
];

pub(super) const LIVE_ORDERS: Question = Question {
    key: "live_orders",
    title: "Orders on their way",
    note: "What brokers were asked to do and have not ended.",
    sql: include_str!("../../sql/queries/show_orders.sql"),
    fields: ORDERS,
    empty: "None is on its way.",
};

pub(super) const LAST_ORDERS: Question = Question {
    key: "orders",
    title: "Orders",
    note: "What brokers were asked to do, the newest first. `hedge show orders` has all.",
    sql: include_str!("../../sql/queries/show_orders.sql"),
    fields: ORDERS,
    empty: "No order was ever planned. Until `hedge go-live` is said, nothing is sent.",
};

pub(super) const FILLS: Question = Question {
    key: "fills",
    title: "Fills",
    note: "Trades of your orders on chain, as the chain has them now; the newest first. `hedge show fills` has all.",
    sql: include_str!("../../sql/queries/show_fills.sql"),
    fields: &[
        field("executed_at", "At", Show::Time),
        field("symbol", "Symbol", Show::Symbol),
        field("side", "Side", Show::Words),
        field("quantity", "Quantity, shares", Show::Quantity),
        field("price_per_underlying", "Price, $ a share", Show::Price),
        field("usdc", "For, $", Show::Dollars),
        field("tx_hash", "Transaction", Show::Fill),
    ],
    empty: "No fill is in the books. `hedge backfill --from BLOCK` reads history, `hedge run` what comes.",
};

pub(super) const EXECUTIONS: Question = Question {
    key: "executions",
    title: "Executions",
    note: "Trades at brokers, the newest first.",
    sql: include_str!("../../sql/queries/show_executions.sql"),
    fields: EXECUTION,
    empty: "There is none.",
};

pub(super) const EXECUTION: &[Field] = &[
    field("executed_at", "At", Show::Time),
    field("order_id", "Order", Show::Order),
    field("side", "Side", Show::Words),
    field("quantity", "Quantity, shares", Show::Quantity),
    field("price", "Price, $ a share", Show::Price),
    field("cash_usd_exact", "Cash, $", Show::Dollars),
    field("nature", "Nature", Show::Words),
    field("venue", "Venue", Show::Words),
    field("execution_id", "Id there", Show::Code),
];

pub(super) const ALERTS: Question = Question {
    key: "alerts",
    title: "What people were told of",
    note: "Conditions that are open, the gravest first.",
    sql: include_str!("../../sql/queries/web_alerts.sql"),
    fields: &[
        field("severity", "Severity", Show::State),
        field("about", "What", Show::Words),
        field("value_usd", "Worth, $", Show::Dollars),
        field("since_at", "Since", Show::Time),
        field("what_to_do", "What to do", Show::Act),
    ],
    empty: "Nothing is open.",
};

pub(super) const BREAK: &[Field] = &[
    field("break_id", "Break", Show::Break),
    field("class", "Class", Show::Words),
    field("instrument", "Of", Show::Words),
    field("account", "In", Show::Words),
    field("quantity", "Quantity, shares or $", Show::Quantity),
    field("cash", "Cash, $", Show::Dollars),
    field("value_usd", "Worth, $", Show::Dollars),
    field("state", "State", Show::State),
    field("first_seen", "First seen", Show::Time),
    field("deadline", "Must be over by", Show::Time),
    field("acknowledged_until", "Known until", Show::Time),
    field("detail", "What", Show::Words),
];

pub(super) const BREAKS: Question = Question {
    key: "breaks",
    title: "What drifted",
    note: "Breaks between our books and the broker or the vaults that are not over; what nothing explains comes first.",
    sql: include_str!("../../sql/queries/web_breaks.sql"),
    fields: BREAK,
    empty: "No break is open. `hedge reconcile` looks again.",
};

pub(super) const INVENTORY: Question = Question {
    key: "inventory",
    title: "Where it lies",
    note: "Shares and cash on chain and at brokers, as the last run of `reconcile` saw them; what is off its target comes first.",
    sql: include_str!("../../sql/queries/web_inventory.sql"),
    fields: &[
        field("instrument", "Of", Show::Words),
        field("onchain", "On chain, shares or $", Show::Quantity),
        field("at_brokers", "At brokers, shares or $", Show::Quantity),
        field("onchain_part", "On chain, part of 1", Show::Quantity),
        field("target_part", "Target, part of 1", Show::Quantity),
        field("direction", "To move", Show::Words),
        field("move_quantity", "So much, shares or $", Show::Quantity),
        field("seen_at", "Seen", Show::Time),
    ],
    empty: "No run has looked yet: `hedge reconcile`.",
};

pub(super) const BREAK_EVENTS: Question = Question {
    key: "events",
    title: "What happened to it",
    note: "In runs, and by a person's hand; oldest first. A person uses `hedge accept --break`, `hedge correct` or `hedge write-off`.",
    sql: include_str!("../../sql/queries/web_break_events.sql"),
    fields: &[
        field("happened_at", "At", Show::Time),
        field("event", "Event", Show::State),
        field("state", "State after", Show::State),
        field("quantity", "Quantity, shares or $", Show::Quantity),
        field("cash", "Cash, $", Show::Dollars),
        field("until", "Until", Show::Time),
        field("business_date", "Run of", Show::Words),
        field("author", "By", Show::Words),
        field("reason", "Reason", Show::Words),
    ],
    empty: "Nothing yet.",
};

pub(super) const BREAK_EVIDENCE: Question = Question {
    key: "evidence",
    title: "What explains its place",
    note: "Parts of the residual that have evidence, run by run; the newest first.",
    sql: include_str!("../../sql/queries/web_break_evidence.sql"),
    fields: &[
        field("business_date", "Run of", Show::Words),
        field("class", "Class", Show::Words),
        field("amount", "Amount, shares or $", Show::Quantity),
        field("detail", "What", Show::Words),
        field("evidence", "Evidence", Show::Code),
        field("deadline", "Must be over by", Show::Time),
    ],
    empty: "Nothing explains any of it: somebody looks at the broker's or the vault's own record.",
};

pub(super) const LOTS: Question = Question {
    key: "lots",
    title: "Open lots",
    note: "What was taken on together and is not closed yet; what is oldest closes first.",
    sql: include_str!("../../sql/queries/web_lots.sql"),
    fields: &[
        field("opened_at", "Opened", Show::Time),
        field("side", "Side", Show::Words),
        field("quantity_exact", "Quantity, shares", Show::Quantity),
        field("cost_usd", "Cost, or brought, $", Show::Dollars),
        field("opening_type", "Opened by", Show::Words),
        field("opening_id", "Trade", Show::Code),
    ],
    empty: "None is open, or nothing was counted yet: `hedge pnl` counts.",
};

/// A day's money.
pub(super) const EARNED: &[Field] = &[
    field("et_date", "New York day", Show::Words),
    field("trades", "Trades", Show::Whole),
    field("realized_usd", "Realized, $", Show::Dollars),
    field("fees_usd", "Fees, $", Show::Dollars),
    field("net_usd", "Net of fees, $", Show::Dollars),
    field("earned_usd", "In all, $", Show::Dollars),
    field("edge_usd", "Edge, $", Show::Dollars),
    field("drift_usd", "Drift, $", Show::Dollars),
    field("slippage_usd", "Slippage, $", Show::Dollars),
    field("spread_usd", "Spread captured, $", Show::Dollars),
];

pub(super) const SOURCES: Question = Question {
    key: "sources",
    title: "What is read",
    note: "Each source, how far it is written, and how well that is believed.",
    sql: include_str!("../../sql/queries/web_sources.sql"),
    fields: &[
        field("source", "Source", Show::Words),
        field("number", "Block", Show::Whole),
        field("lag_blocks", "Behind, blocks", Show::Whole),
        field("looked_at", "Head looked at", Show::Time),
        field("block_time", "Block of", Show::Time),
        field("unproved_blocks", "Unproved, blocks", Show::Whole),
        field("skipped_logs", "Skipped, logs", Show::Whole),
        field("stopped_why", "Stopped", Show::Words),
    ],
    empty: "Nothing is read yet: `hedge doctor` tries what is configured, `hedge run` begins.",
};

pub(super) const RUNS: Question = Question {
    key: "runs",
    title: "Last runs",
    note: "The newest run of each job.",
    sql: include_str!("../../sql/queries/web_runs.sql"),
    fields: RUN,
    empty: "No job has run yet: `hedge run` does it, or `hedge job run NAME`.",
};

pub(super) const RUN: &[Field] = &[
    field("job", "Job", Show::Words),
    field("business_date", "Of", Show::Words),
    field("state", "State", Show::State),
    field("finished_at", "Ended", Show::Time),
    field("duration_seconds", "Took, s", Show::Seconds),
    field("said", "Said", Show::Words),
];

pub(super) const ORDER: &[Field] = &[
    field("state", "State", Show::Life),
    field("symbol", "Symbol", Show::Symbol),
    field("side", "Side", Show::Words),
    field("quantity", "Quantity, shares", Show::Quantity),
    field("filled", "Filled, shares", Show::Quantity),
    field("average_price", "Average, $ a share", Show::Price),
    field("cash_usd_exact", "Cash, $", Show::Dollars),
    field("terms", "Terms", Show::Words),
    field("limit_price", "Limit, $ a share", Show::Price),
    field("exposure_before", "Planned for, shares", Show::Quantity),
    field("reference_price", "Reference, $ a share", Show::Price),
    field("reference_source", "Reference from", Show::Words),
    field("reference_at", "Reference of", Show::Time),
    field("purpose", "Purpose", Show::Words),
    field("author", "Asked for by", Show::Words),
    field("reason", "Reason", Show::Words),
    field("venue", "Venue", Show::Words),
    field("environment", "Environment", Show::Words),
    field("planned_at", "Planned", Show::Time),
    field("sent_at", "Sent", Show::Time),
    field("accepted_at", "Accepted", Show::Time),
    field("cancel_asked_at", "Cancel asked for", Show::Time),
    field("closed_at", "Closed", Show::Time),
    field("client_order_id", "Our id", Show::Code),
    field("broker_order_id", "Id there", Show::Code),
];

pub(super) const EVENTS: Question = Question {
    key: "events",
    title: "What happened to it",
    note: "Each move, and the broker's words that it rests on; oldest first.",
    sql: include_str!("../../sql/queries/show_events.sql"),
    fields: &[
        field("happened_at", "At", Show::Time),
        field("event", "Event", Show::State),
        field("detail", "What", Show::Words),
        field("author", "By", Show::Words),
        field("evidence", "Evidence", Show::Code),
    ],
    empty: "Nothing yet.",
};

pub(super) const COVERS: Question = Question {
    key: "covers",
    title: "What it hedges",
    note: "Part by part, in the order of filling.",
    sql: include_str!("../../sql/queries/web_order_covers.sql"),
    fields: &[
        field("what", "What", Show::Words),
        field("quantity", "Quantity, shares", Show::Quantity),
        field("covered", "Of it filled, shares", Show::Quantity),
        field("filled_onchain_at", "Traded", Show::Time),
        field("block_number", "Block", Show::Whole),
        field("tx_hash", "Fill", Show::Fill),
    ],
    empty: "It hedges nothing: a person asked for it.",
};

pub(super) const ORDER_EXECUTIONS: Question = Question {
    key: "executions",
    title: "Executions",
    note: "What the broker traded for it.",
    sql: include_str!("../../sql/queries/web_order_executions.sql"),
    fields: EXECUTION,
    empty: "The broker has traded nothing for it.",
};

pub(super) const FILL: &[Field] = &[
    field("symbol", "Symbol", Show::Symbol),
    field("side", "Side", Show::Words),
    field("quantity", "Quantity, shares", Show::Quantity),
    field("price_per_underlying", "Price, $ a share", Show::Price),
    field("usdc", "For, $", Show::Dollars),
    field("executed_at", "At", Show::Time),
    field("taken_at", "Taken back", Show::Time),
    field("cause", "Taken back by", Show::Words),
    field("source", "Source", Show::Words),
    field("role", "Our part", Show::Words),
    field("block_number", "Block", Show::Whole),
    field("log_index", "Log", Show::Whole),
    field("tx_hash", "Transaction", Show::Code),
    field("token_quantity", "Tokens", Show::Quantity),
    field("wrapper_ratio", "Shares of a token", Show::Price),
    field("token_address", "Token", Show::Code),
    field("owner", "Owner", Show::Code),
    field("vault_in", "Vault that received", Show::Code),
    field("vault_out", "Vault that paid", Show::Code),
];

pub(super) const HEDGES: Question = Question {
    key: "hedges",
    title: "How it was hedged",
    note: "Orders that hedge a part of it.",
    sql: include_str!("../../sql/queries/web_fill_covers.sql"),
    fields: &[
        field("order_id", "Order", Show::Order),
        field("side", "Side", Show::Words),
        field("quantity", "Of this fill, shares", Show::Quantity),
        field("of_quantity", "Of the order, shares", Show::Quantity),
        field("average_price", "At, $ a share", Show::Price),
        field("state", "State", Show::State),
        field("planned_at", "Planned", Show::Time),
        field("closed_at", "Closed", Show::Time),
    ],
    empty: "No order hedges it: it may net with others, be below the threshold, or lie before `hedge go-live`. Its symbol's page says why.",
};

pub(super) const ALL_RUNS: Question = Question {
    key: "history",
    title: "Runs before",
    note: "The newest first.",
    sql: include_str!("../../sql/queries/web_runs.sql"),
    fields: RUN,
    empty: "No job has run yet: `hedge run` does it, or `hedge job run NAME`.",
};

pub(super) const CHECKS: Question = Question {
    key: "checks",
    title: "Laws of the books",
    note: "Each check of `hedge check`, as it was found last: a row is a failure.",
    sql: include_str!("../../sql/queries/web_checks.sql"),
    fields: &[
        field("name", "Check", Show::Words),
        field("failures", "Failures, rows", Show::Whole),
        field("allowed", "Let pass, rows", Show::Whole),
        field("checked_at", "Checked", Show::Time),
    ],
    empty: "They were not checked yet: `hedge check`, or the job of the same name.",
};
