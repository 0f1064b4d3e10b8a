-- One row per SKU that any source names: product list, purchases, receipts, listings, orders,
-- returns, refunds, reimbursements, removals, moves of stock, reviews and claims.
with

order_lines as (
    select * from {{ ref('int_order_line__enriched') }}
),

settlement_lines as (
    {{ union_conformed('settlement_lines') }}
),

feedback as (
    {{ union_conformed('feedback') }}
),

claims as (
    {{ union_conformed('claims') }}
),

final as (
    select sku from {{ ref('int_sku__described') }}
    union
    select sku from {{ ref('base_files__purchase_batches') }}
    union
    select sku from {{ ref('base_files__goods_receipts') }}
    union
    select sku from {{ ref('base_files__lot_allocations') }}
    union
    select sku from {{ ref('base_files__return_inspections') }}
    union
    select sku from {{ ref('base_files__sku_map') }}
    union
    select sku from {{ ref('int_lot__declared') }}
    union
    select sku from order_lines
    union
    select source_sku as sku from order_lines
    union
    select source_sku as sku from {{ ref('int_return_line__linked') }}
    union
    select sku from {{ ref('int_refund_line__counted') }}
    union
    select sku from settlement_lines
    union
    select sku from feedback
    union
    select sku from claims
    union
    select sku from {{ ref('int_reimbursement__unioned') }}
    union
    select sku from {{ ref('int_removal__unioned') }}
    union
    select sku from {{ ref('int_stock_move__pooled') }}
)

select sku
from final
where sku is not null and sku not in ('unknown', 'none', 'all')
