-- One row per kind of doubt about rows of the seller's files that are loaded all the same: a lot
-- that no purchase list names, a SKU that no product list names, more received than was made, a
-- bill for a parcel of no order, a policy of a marketplace or country that is not known.
with

batches as (
    select * from {{ ref('base_files__purchase_batches') }}
),

receipts as (
    select * from {{ ref('base_files__goods_receipts') }}
),

products as (
    select distinct sku from {{ ref('base_files__products') }}
),

lots_without_batch as (
    select
        'goods_receipts' as stream,
        'lot_missing' as quarantine_reason,
        receipts.lot_key as example_ref,
        'Loaded; add the lot to purchase_batches: it has no supplier, cost and expiry until then'
            as what_to_do
    from receipts
    left join batches on receipts.lot_key = batches.lot_key
    where batches.lot_key is null
),

named_skus as (
    select
        'purchase_batches' as stream,
        sku
    from batches
    union all
    select
        'goods_receipts' as stream,
        sku
    from receipts
),

-- without any product list every SKU would be unknown, and nothing would be learned
skus_without_product as (
    select
        stream,
        'sku_unknown' as quarantine_reason,
        sku as example_ref,
        'Loaded; correct the SKU, or add it to products' as what_to_do
    from named_skus
    where
        sku not in (select products.sku from products)
        and (select count(*) from products) > 0
),

received as (
    select
        lot_key,
        sum(quantity_received) as quantity_received
    from receipts
    group by lot_key
),

lots_beyond_batch as (
    select
        'goods_receipts' as stream,
        'received_more_than_produced' as quarantine_reason,
        received.lot_key as example_ref,
        'Loaded; compare receipts and purchase list: more than 105 % of what was made came in'
            as what_to_do
    from received
    inner join batches on received.lot_key = batches.lot_key
    where received.quantity_received * 100 > batches.quantity_produced * 105
),

bills_without_order as (
    select
        'parcel_costs' as stream,
        'parcel_unknown' as quarantine_reason,
        tracking_number as example_ref,
        'Loaded; no order is known by this number: correct the carrier or number, or add order_ref'
            as what_to_do
    from {{ ref('int_parcel_bill__spread') }}
    where order_line_key = 'unknown'
),

policies_of_nowhere as (
    select
        'policies' as stream,
        'policy_scope_unknown' as quarantine_reason,
        policies.country || ' ' || policies.marketplace as example_ref,
        'Without effect; write the marketplace as in dim_marketplace and the country in two letters'
            as what_to_do
    from {{ ref('base_files__policies') }} as policies
    left join {{ ref('dim_policy') }} as known
        on
            policies.country = known.country
            and policies.marketplace = known.marketplace
            and policies.category = known.category
            and policies.payment_method = known.payment_method
            and policies.valid_from = known.valid_from
    where known.country is null
),

doubts as (
    select * from lots_without_batch
    union all
    select * from skus_without_product
    union all
    select * from lots_beyond_batch
    union all
    select * from bills_without_order
    union all
    select * from policies_of_nowhere
),

final as (
    select
        'files' as connector,
        'inbox' as account,
        stream,
        {{ as_of_date() }} as quality_date,
        quarantine_reason,
        count(*) as rows,
        min(example_ref) as example_ref,
        min(what_to_do) as what_to_do
    from doubts
    group by stream, quarantine_reason
)

select * from final
