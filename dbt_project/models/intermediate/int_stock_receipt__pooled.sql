-- One row per receipt of sellable goods, with the pool of stock they went into. A lot without any
-- receipt came when the purchase list says that it arrived.
with

receipts as (
    select * from {{ ref('base_files__goods_receipts') }}
),

batches as (
    select * from {{ ref('base_files__purchase_batches') }}
),

centres as (
    select * from {{ ref('int_stock_pool__by_centre') }}
),

groups as (
    select * from {{ ref('int_marketplace__grouped') }}
),

only_own_pool as (
    select case when count(distinct stock_pool) = 1 then min(stock_pool) end as stock_pool
    from centres
    where centre_kind <> 'marketplace'
),

received as (
    select
        receipts.receipt_id,
        receipts.line_no,
        receipts.sku,
        receipts.lot_id,
        receipts.lot_key,
        receipts.fulfilment_centre_id,
        receipts.account,
        receipts.marketplace,
        case
            -- a centre that serves several accounts: the receipt says whose goods these are
            when
                centres.named_pool is null
                and centres.centre_kind = 'marketplace'
                and receipts.account is not null
                then
                    {{ key_part("receipts.account") }} || '|'
                    || coalesce(groups.region_group, centres.region_group, 'all')
            else centres.stock_pool
        end as stock_pool,
        receipts.quantity_received - receipts.quantity_damaged as quantity,
        receipts.quantity_damaged,
        receipts.received_at,
        'goods_receipts' as move_source
    from receipts
    inner join centres on receipts.fulfilment_centre_id = centres.fulfilment_centre_id
    left join groups on receipts.marketplace = groups.marketplace
),

with_receipt as (
    select distinct lot_key from receipts
),

arrived as (
    select
        'arrival' as receipt_id,
        cast(1 as bigint) as line_no,
        batches.sku,
        batches.lot_id,
        batches.lot_key,
        'unknown' as fulfilment_centre_id,
        cast(null as varchar) as account,
        cast(null as varchar) as marketplace,
        coalesce(only_own_pool.stock_pool, 'unknown') as stock_pool,
        batches.quantity_produced as quantity,
        cast(0 as bigint) as quantity_damaged,
        cast(batches.arrived_on as timestamp) as received_at,
        'purchase_batches' as move_source
    from batches
    cross join only_own_pool
    left join with_receipt
        on batches.lot_key = with_receipt.lot_key
    where batches.arrived_on is not null and with_receipt.lot_key is null
),

final as (
    select * from received
    union all
    select * from arrived
)

select * from final
