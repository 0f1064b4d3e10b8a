-- A listing is known within its marketplace and account; each of them in an order line has its row.
with

order_lines as (
    select distinct
        marketplace,
        account,
        listing_id
    from {{ ref('fct_order_line') }}
),

listings as (
    select distinct
        marketplace,
        account,
        listing_id
    from {{ ref('dim_listing') }}
)

select order_lines.*
from order_lines
left join listings
    on
        order_lines.marketplace = listings.marketplace
        and order_lines.account = listings.account
        and order_lines.listing_id = listings.listing_id
where listings.listing_id is null
