-- What a past reconciliation needs to be read again from its raw answers; and how much cash had not settled.

-- Of a broker: from when on its trades and activities were asked for; null: a chain, or an older run.
alter table recon_cut add column asked_since timestamptz;

-- Of cash at a broker: what of it has not settled; null: it does not say.
alter table recon_leg add column unsettled numeric(38,18);
