{#- The components of the after-sales bill by group (facts/metrics.md 6.1): which of them count in
    K01 (everything) and K02 (operations), and how money is shared out. -#}

{% macro cost_components() -%}
    {{ return({
        "refund": ["refund_net"],
        "cost": [
            "return_shipping", "returns_processing_fee", "inspection_labour", "repack", "write_off",
            "disposal_fee", "replacement_unit_cost", "replacement_shipping", "goodwill_coupon",
            "dispute_fee", "customer_service_labour", "payment_fee_lost", "duties_not_reclaimed",
            "repair_labour", "repair_parts",
        ],
        "fee_credit": ["fee_credit"],
        "credit": ["resale_value", "liquidation", "reimbursement", "carrier_claim",
            "supplier_claim"],
        "kept": ["platform_fee_kept"],
        "sunk": ["outbound_shipping_lost"],
        "memo": ["refund_tax", "lost_customer_value"],
    }) }}
{%- endmacro %}


{#- Every component in the order of the cost tables. -#}
{% macro all_cost_components() -%}
    {%- set groups = cost_components() -%}
    {{ return(
        groups.refund + ["refund_tax"] + groups.cost + groups.sunk + groups.kept
        + ["lost_customer_value"] + groups.fee_credit + groups.credit
    ) }}
{%- endmacro %}


{#- Whether a component is one of some groups, for example is_component("component", ["cost"]). -#}
{% macro is_component(column, groups) -%}
    {%- set members = [] -%}
    {%- for group in groups -%}
        {%- do members.extend(cost_components()[group]) -%}
    {%- endfor -%}
    {{ column }} in ('{{ members | join("', '") }}')
{%- endmacro %}


{#- Everything the after-sale cost; sunk cost only where the settings include it. -#}
{% macro counts_in_k01(component, include_sunk) -%}
    (
        {{ is_component(component, ["refund", "cost", "fee_credit", "credit"]) }}
        or ({{ include_sunk }} and {{ is_component(component, ["sunk"]) }})
    )
{%- endmacro %}


{#- Handling and lost goods: without the refund itself, with the fees that were not given back. -#}
{% macro counts_in_k02(component, include_sunk) -%}
    (
        {{ is_component(component, ["cost", "credit", "kept"]) }}
        or ({{ include_sunk }} and {{ is_component(component, ["sunk"]) }})
    )
{%- endmacro %}


{#- Sums of fct_after_sales_cost rows `from`: a column per component, positive as the component is
    meant (a credit taken back lowers it), the two totals and what is estimated of K02. `amount` is
    the column of money: at the rate of the event, or of the order for cohorts. -#}
{% macro cost_sums(from, amount) -%}
    {%- set signed = "case when " ~ from ~ ".direction = 'cost' then " ~ from ~ "." ~ amount
        ~ " else -" ~ from ~ "." ~ amount ~ " end" -%}
    {%- set credits = cost_components().fee_credit + cost_components().credit -%}
    {%- for component in all_cost_components() %}
        coalesce(sum(
            case when {{ from }}.component = '{{ component }}' then {{ signed }} end
        ), 0) * {{ -1 if component in credits else 1 }} as {{ component }},
    {%- endfor %}
        coalesce(sum(case when {{ from }}.counts_in_k01 then {{ signed }} end), 0)
            as after_sales_cost_total,
        coalesce(sum(case when {{ from }}.counts_in_k02 then {{ signed }} end), 0)
            as after_sales_cost_ex_refund,
        coalesce(sum(
            case
                when {{ from }}.counts_in_k02 and {{ from }}.source = 'estimated' then {{ signed }}
            end
        ), 0) as cost_estimated
{%- endmacro %}


{#- The columns of cost_sums, to sum them again. -#}
{% macro cost_measures() -%}
    {{ return(
        all_cost_components()
        + ["after_sales_cost_total", "after_sales_cost_ex_refund", "cost_estimated"]
    ) }}
{%- endmacro %}


{#- K09 of a row with a column per component. -#}
{% macro recovered_value(from) -%}
    {%- for component in cost_components().credit -%}
        {{ from }}.{{ component }}{{ " + " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{#- An amount of a whole over its parts by their weights, in cents by largest remainder; ties and
    what is less than a cent go to the first part (facts/metrics.md 2.4). `parts` has one row per
    part with the whole's amount repeated; gives its columns and part_amount. Without any weight the
    parts are equal. -#}
{% macro by_largest_remainder(parts, whole, amount, weight, tie) -%}
    select
        *,
        {{ money("sign(" ~ amount ~ ") * (
            (cents_floor + case
                when remainder_rank <= cents - sum(cents_floor) over (partition by " ~ whole ~ ")
                    then 1
                else 0
            end) / 100.0
            + case when tie_rank = 1 then abs(" ~ amount ~ ") - cents / 100.0 else 0 end
        )") }} as part_amount
    from (
        select
            *,
            row_number() over (
                partition by {{ whole }}
                order by round(cents * weight_share - cents_floor, 9) desc, tie_rank asc
            ) as remainder_rank
        from (
            select
                *,
                floor(cents * weight_share + 1e-9) as cents_floor
            from (
                select
                    *,
                    floor(abs({{ amount }}) * 100) as cents,
                    row_number() over (partition by {{ whole }} order by {{ tie }}) as tie_rank,
                    case
                        when sum({{ weight }}) over (partition by {{ whole }}) > 0
                            then
                                cast(coalesce({{ weight }}, 0) as double)
                                / sum({{ weight }}) over (partition by {{ whole }})
                        else 1.0 / count(*) over (partition by {{ whole }})
                    end as weight_share
                from {{ parts }}
            ) as weighed
        ) as floored
    ) as ranked
{%- endmacro %}


{#- Who can bear a cost, in the order in which they share it. -#}
{% macro cost_parties() -%}
    {{ return([
        "product", "supplier", "listing", "logistics", "warehouse", "customer", "marketplace",
        "unknown",
    ]) }}
{%- endmacro %}


{#- The part of a reason's cost that the first so many parties bear together. -#}
{% macro running_share(parties) -%}
    cast(0
    {%- for party in cost_parties()[:parties] %} + share_{{ party }}{% endfor %} as decimal(9, 4))
{%- endmacro %}


{#- A party's part of a positive amount, from where the parties before it end to where it ends:
    parts of rounded running sums always add up to the amount. -#}
{% macro party_part(amount, share_from, share_to) -%}
    {{ money("round(" ~ amount ~ " * " ~ share_to ~ ", 4) - round(" ~ amount ~ " * " ~ share_from
        ~ ", 4)") }}
{%- endmacro %}


{#- What a row of a settlement is to the after-sale: a component, or the sale's own fees. NULL where
    it is neither. -#}
{% macro settlement_kind() -%}
    case
        when line_class = 'reimbursement' then 'reimbursement'
        when line_class not in ('fee', 'fee_credit') then null
        when
            lower(transaction_type) like '%refund%' or lower(transaction_type) like '%chargeback%'
            or lower(transaction_type) like '%guarantee%' or lower(transaction_type) like '%a-to-z%'
            then 'fee_credit'
        when
            lower(amount_description) like '%customerreturn%'
            or lower(amount_description) like '%return_processing%'
            or lower(amount_description) like '%high_return_rate%'
            then 'returns_processing_fee'
        when
            lower(amount_description) like '%return_postage%'
            or lower(amount_description) like '%returnshipping%'
            then 'return_shipping'
        when
            lower(amount_description) like '%postage%'
            or (lower(transaction_type) = 'order' and lower(amount_description) like 'fba%')
            then 'sale_fulfilment'
        when lower(transaction_type) = 'order' then 'sale_fee'
    end
{%- endmacro %}
