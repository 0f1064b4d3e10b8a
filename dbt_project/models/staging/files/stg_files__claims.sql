-- One row per claim of the seller's files.
with

told as (
    select
        {{ file_channel_or_inbox_columns() }},
        *
    from {{ source('raw_files', 'claims') }}
),

claims as (
    select
        connector,
        account,
        claim_id,
        party,
        marketplace,
        supplier_id,
        lot_id,
        sku,
        order_ref,
        tracking_number,
        cast(units as bigint) as units,
        opened_at,
        decided_at,
        case
            when coalesce(status, 'open') in ('open', 'withdrawn') then coalesce(status, 'open')
            when status = 'refused' then 'declined'
            when status = 'partly_accepted' then 'partial'
            -- what was paid says how much of it was accepted
            when amount_paid > 0 and amount_paid < amount_claimed then 'partial'
            else 'accepted'
        end as claim_status,
        {{ money("amount_claimed") }} as claimed_amount,
        {{ money("coalesce(amount_paid, 0)") }} as paid_amount,
        currency
    from told
)

select * from claims
