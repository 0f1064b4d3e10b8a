-- One row per settlement with the total that the marketplace says and what its rows add up to.
with

settlements as (
    {{ union_conformed('settlements') }}
),

settlement_lines as (
    select * from {{ ref('int_settlement_line__unioned') }}
),

summed as (
    select
        connector,
        account,
        settlement_id,
        sum(amount) as lines_amount
    from settlement_lines
    group by connector, account, settlement_id
),

final as (
    select
        settlements.connector,
        settlements.account,
        settlements.settlement_id,
        settlements.currency,
        settlements.deposited_at,
        settlements.total_amount,
        {{ money("coalesce(summed.lines_amount, 0)") }} as lines_amount,
        {{ money("settlements.total_amount - coalesce(summed.lines_amount, 0)") }}
            as difference_amount
    from settlements
    left join summed
        on
            settlements.connector = summed.connector
            and settlements.account = summed.account
            and settlements.settlement_id = summed.settlement_id
    where settlements.total_amount is not null
)

select * from final
