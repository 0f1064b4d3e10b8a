-- One row per account and marketplace of the seller's files that reviews, cases, claims and payouts
-- name: a channel may have these and no order.
with

feedback as (
    {{ union_conformed('feedback') }}
),

cases as (
    {{ union_conformed('cases') }}
),

claims as (
    {{ union_conformed('claims') }}
),

settlement_lines as (
    select * from {{ ref('int_settlement_line__unioned') }}
),

named as (
    select
        connector,
        account,
        marketplace
    from feedback
    where conformed_by = 'files'
    union
    select
        connector,
        account,
        marketplace
    from cases
    where conformed_by = 'files'
    union
    select
        connector,
        account,
        marketplace
    from claims
    where conformed_by = 'files'
    union
    select
        connector,
        account,
        marketplace
    from settlement_lines
    where conformed_by = 'files'
)

select * from named
