-- One row: what a database holds, however its exact numbers are spelt and whenever it was written.
select
    (select count(*) from fill) as fills,
    (select sum(hashtextextended((to_jsonb(chain_log) - 'written_at')::text, 0))::text from chain_log) as logs,
    (select sum(hashtextextended(concat_ws(' ',
        chain_id, block_hash, log_index, role, owner, side, symbol, token,
        token_quantity, trim_scale(token_quantity_exact), usdc, trim_scale(usdc_exact),
        wrapper_ratio, quantity, trim_scale(price), vault_in, vault_out), 0))::text from fill) as rows,
    (select concat_ws(' ', number, hash) from cursor) as at
