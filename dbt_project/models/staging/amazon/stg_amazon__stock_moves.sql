-- One row per adjustment of stock, and per sending back to the seller, in the inventory ledger.
-- Its other events are told by orders, returns and receipts.
with

ledger_events as (
    select * from {{ ref('base_amazon__inventory_ledger') }}
),

stock_moves as (
    select
        'amazon' as connector,
        account,
        event_id as move_id,
        happened_at as moved_at,
        sku,
        coalesce(fulfilment_centre_id, 'unknown') as fulfilment_centre_id,
        case event_type
            when 'ADJUSTMENTS' then 'adjustment'
            else 'removal'
        end as move_kind,
        quantity,
        case when disposition = 'SELLABLE' then 'sellable' else 'unsellable' end as grade,
        reason as reason_raw,
        reference_id
    from ledger_events
    where event_type in ('ADJUSTMENTS', 'VENDORRETURNS') and quantity <> 0
)

select * from stock_moves
