-- The venue that is nobody's: what it was asked, and what it made of it.

-- One row per order at a venue that is nobody's: it fills here.
create table paper_order (
    venue       text           not null,
    client_id   text           not null,
    symbol      text           not null,
    side        text           not null,
    quantity    numeric(38,18) not null,
    limit_price numeric(38,18),             -- null: at the market
    taken_at    timestamptz    not null,
    fate        text           not null,
    filled_at   timestamptz,
    price       numeric(38,18),
    primary key (venue, client_id),
    constraint paper_side_is_known check (side in ('BUY', 'SELL')),
    constraint paper_quantity_is_above_zero check (quantity > 0),
    constraint paper_fate_is_known check (fate in ('resting', 'filled', 'canceled', 'expired')),
    constraint what_is_filled_has_a_price_and_a_time check ((fate = 'filled') = (filled_at is not null)
                                                            and (fate = 'filled') = (price is not null))
);
