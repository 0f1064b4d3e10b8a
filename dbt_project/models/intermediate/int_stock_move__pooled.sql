-- One row per move of stock that neither orders, returns nor receipts tell: goods lost, found,
-- broken or taken home, with the pool of stock that they are of.
with

conformed as (
    {{ union_conformed('stock_moves') }}
),

own_skus as (
    select * from {{ ref('int_sku__by_listing') }}
),

centres as (
    select * from {{ ref('int_stock_pool__by_centre') }}
),

account_groups as (
    select * from {{ ref('int_account__grouped') }}
),

final as (
    select
        'move|' || conformed.move_kind || '|'
        || {{ colon_key(["conformed.connector", "conformed.account", "conformed.move_id"]) }}
            as stock_move_key,
        conformed.account,
        coalesce(own_skus.sku, conformed.sku, 'unknown') as sku,
        coalesce(centres.fulfilment_centre_id, 'unknown') as fulfilment_centre_id,
        coalesce(
            centres.named_pool,
            {{ key_part("conformed.account") }} || '|'
            || coalesce(centres.region_group, account_groups.region_group, 'all')
        ) as stock_pool,
        conformed.move_kind,
        conformed.quantity,
        conformed.grade,
        conformed.moved_at
    from conformed
    left join own_skus
        on conformed.account = own_skus.account and conformed.sku = own_skus.listed_sku
    left join centres on conformed.fulfilment_centre_id = centres.fulfilment_centre_id
    left join account_groups on conformed.account = account_groups.account
    where conformed.quantity <> 0
)

select * from final
