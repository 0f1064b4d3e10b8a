-- Joins neither lose nor repeat a row on the way from the conformed lines to the facts.
with

counted as (
    select
        'order lines' as what,
        (select count(*) from {{ ref('int_order_line__unioned') }}) as rows_before,
        (select count(*) from {{ ref('fct_order_line') }}) as rows_after
    union all
    select
        'settlement lines' as what,
        (select count(*) from {{ ref('int_settlement_line__unioned') }}) as rows_before,
        (select count(*) from {{ ref('fct_settlement_line') }}) as rows_after
    union all
    select
        'refund lines' as what,
        (select count(*) from {{ ref('int_refund_line__counted') }}) as rows_before,
        (select count(*) from {{ ref('fct_refund_line') }}) as rows_after
    union all
    select
        'return lines' as what,
        (select count(*) from {{ ref('int_return_line__evidenced') }} where quantity > 0)
            as rows_before,
        (select count(*) from {{ ref('fct_return_line') }}) as rows_after
    union all
    select
        'units outcome' as what,
        (select count(*) from {{ ref('fct_order_line') }}) as rows_before,
        (select count(*) from {{ ref('int_unit_outcome__counted') }}) as rows_after
)

select *
from counted
where rows_before <> rows_after
