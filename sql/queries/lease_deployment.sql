-- One row: which deployment this is. It is one from its first lease or its first order on.
with first as (
    insert into lease (fence, holder, taken_at, expires_at) values (0, 'nobody', now(), now())
    on conflict do nothing
    returning deployment
)
select deployment from first
union all
select deployment from lease
limit 1
