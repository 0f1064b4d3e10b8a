-- One row per kind of row that the models hold back, by source and day of the clock: rows of files
-- that name two orders, and returns of more units than were shipped.
with

file_orders as (
    select * from {{ ref('int_file_order__matched') }}
),

returns as (
    select * from {{ ref('int_return_line__linked') }}
),

refunds as (
    select * from {{ ref('int_refund_line__unioned') }}
),

refs as (
    select * from {{ ref('int_order_ref__matched') }}
),

evidenced as (
    select * from {{ ref('int_return_line__evidenced') }}
),

ambiguous as (
    select
        account,
        'orders' as stream,
        order_ref as example_ref,
        1 as rows
    from file_orders
    where matches > 1
    union all
    select
        account,
        'returns' as stream,
        order_ref as example_ref,
        1 as rows
    from returns
    where is_ambiguous
    union all
    select
        refunds.account,
        'refunds' as stream,
        refunds.order_id as example_ref,
        1 as rows
    from refunds
    inner join refs
        on
            refunds.connector = refs.connector
            and refunds.account = refs.account
            and refunds.order_id = refs.order_ref
    where refunds.conformed_by = 'files' and refs.matches > 1
),

findings as (
    select
        'files' as connector,
        account,
        stream,
        'ambiguous_order' as quarantine_reason,
        example_ref,
        rows,
        'Write the order id of the marketplace instead of the order number' as what_to_do
    from ambiguous
    union all
    select
        connector,
        account,
        'returns' as stream,
        'returned_more_than_shipped' as quarantine_reason,
        return_line_key as example_ref,
        told_quantity - quantity as rows,
        'Look whether a return was reported twice, or a shipment is missing' as what_to_do
    from evidenced
    where told_quantity > quantity
),

final as (
    select
        connector,
        account,
        stream,
        {{ as_of_date() }} as quality_date,
        quarantine_reason,
        cast(sum(rows) as bigint) as rows,
        min(example_ref) as example_ref,
        min(what_to_do) as what_to_do
    from findings
    group by connector, account, stream, quarantine_reason
)

select * from final
