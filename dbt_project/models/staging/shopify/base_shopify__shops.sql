with

source as (
    select * from {{ source('raw_shopify', 'shops') }}
),

shops as (
    select
        _account as account,
        'shopify_' || _account as marketplace,
        {{ gid_number("id") }} as shop_id,
        nullif(trim(name), '') as shop_name,
        currencyCode as currency,
        ianaTimezone as time_zone
    from source
    qualify row_number() over (partition by _account order by _changed_at desc, id asc) = 1
)

select * from shops
