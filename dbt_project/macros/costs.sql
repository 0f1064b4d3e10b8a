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


{#- Money of a row of fct_after_sales_cost, negative for a credit. -#}
{% macro signed_cost(from, amount) -%}
    case
        when {{ from }}.direction = 'cost' then {{ from }}.{{ amount }} else -{{ from }}.{{ amount }}
    end
{%- endmacro %}


{#- 1 for a component that is a cost by nature (memo too), -1 for a credit. -#}
{% macro component_sign(component) -%}
    case when {{ is_component(component, ["fee_credit", "credit"]) }} then -1 else 1 end
{%- endmacro %}


{#- Sums of fct_after_sales_cost rows `from`: a column per component, positive as the component is
    meant (a credit taken back lowers it), the two totals and what is estimated of K02. `amount` is
    the column of money: at the rate of the event, or of the order for cohorts. -#}
{% macro cost_sums(from, amount) -%}
    {%- set signed = signed_cost(from, amount) -%}
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
        when lower(amount_description) like '%dispute_fee%' then 'dispute_fee'
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
            or lower(amount_type || ' ' || amount_description) like '%return shipping%'
            or lower(amount_description) like '%return_shipping_label%'
            then 'return_shipping'
        when
            lower(amount_description) like '%postage%'
            or lower(amount_description) like '%shipping_label%'
            or (lower(transaction_type) = 'order' and lower(amount_description) like 'fba%')
            or lower(amount_type || ' ' || amount_description) like '%wfs%fulfillment%'
            then 'sale_fulfilment'
        when lower(transaction_type) in ('order', 'sale', 'non_sale_charge') then 'sale_fee'
    end
{%- endmacro %}


{#- The columns that all cost tables have, of a row `from` with cost_measures, net_sales and the
    units that came back (`returned`). -#}
{% macro cost_columns(from, returned) -%}
    {%- for component in all_cost_components() %}
        {{ money(from ~ "." ~ component) }} as {{ component }},
    {%- endfor %}
        {{ money(recovered_value(from)) }} as recovered_value,
        {{ money(from ~ ".after_sales_cost_total") }} as after_sales_cost_total,
        {{ money(from ~ ".after_sales_cost_ex_refund") }} as after_sales_cost_ex_refund,
        {{ rate(from ~ ".after_sales_cost_total", from ~ ".net_sales") }} as after_sales_cost_rate,
        {{ rate(from ~ ".after_sales_cost_ex_refund", from ~ ".net_sales") }}
            as after_sales_cost_ex_refund_rate,
        {{ money(from ~ ".cost_estimated") }} as cost_estimated
    {%- if returned %},
        {{ money(return_handling_cost(from)) }} as return_handling_cost,
        {{ money(rate(return_handling_cost(from), from ~ "." ~ returned)) }} as cost_per_return,
        {{ money(from ~ ".refund_retained") }} as refund_retained,
        {{ money(from ~ ".reimbursement") }} as refund_recovered,
        {{ money(net_refund(from)) }} as net_refund,
        {{ rate(from ~ ".refund_net", from ~ ".net_sales") }} as refund_rate_gross,
        {{ rate(net_refund(from), from ~ ".net_sales") }} as net_refund_rate,
        {{ money(from ~ ".net_sales") }} as net_sales,
        {{ money(from ~ ".profit_before_after_sales") }} as profit_before_after_sales,
        {{ money(from ~ ".landed_cost_returned") }} as landed_cost_returned,
        {{ money(true_net_profit(from)) }} as true_net_profit,
        cast({{ from }}.units_shipped as bigint) as units_shipped,
        cast({{ from }}.units_cost_known as bigint) as units_cost_known
    {%- endif %}
{%- endmacro %}


{#- The part of K02 that belongs to returns; what was sent instead belongs to the exchange. -#}
{% macro return_handling_cost(from) -%}
    (
        {%- for component in [
            "return_shipping", "returns_processing_fee", "inspection_labour", "repack",
            "write_off", "disposal_fee",
        ] %} {{ "+ " if not loop.first }}{{ from }}.{{ component }}{% endfor %}
        - {{ from }}.resale_value - {{ from }}.liquidation
    )
{%- endmacro %}


{#- Refunds that left the house: not kept as credit, not paid back by the marketplace. -#}
{% macro net_refund(from) -%}
    ({{ from }}.refund_net - {{ from }}.refund_retained - {{ from }}.reimbursement)
{%- endmacro %}


{#- K07. Unknown where units were shipped and the landed cost of none of them is known. What is sunk
    is in the profit of the sale already, so where K01 counts it, it is added back. -#}
{% macro true_net_profit(from) -%}
    case
        when {{ from }}.units_cost_known > 0 or {{ from }}.units_shipped = 0
            then
                {{ from }}.profit_before_after_sales - {{ from }}.after_sales_cost_total
                + {{ from }}.landed_cost_returned
                + case when {{ from }}.include_sunk then {{ from }}.outbound_shipping_lost else 0 end
    end
{%- endmacro %}


{#- The month of an event, 1900-01-01 where its day is not known. -#}
{% macro known_month(day) -%}
    {{ month_of("coalesce(" ~ day ~ ", " ~ unknown_date() ~ ")") }}
{%- endmacro %}


{#- Sums over rows of int_cost_month__summed. -#}
{% macro cost_month_sums() -%}
    {%- for column in cost_measures() + [
        "refund_retained", "units_shipped", "units_cost_known", "units_returned_event",
        "landed_cost_returned", "units_reimbursement_due", "reimbursement_gap",
    ] %}
        sum({{ column }}) as {{ column }},
    {%- endfor %}
        sum(net_sales) as net_sales,
        sum(profit_before_after_sales) as profit_before_after_sales,
        min(reporting_currency) as reporting_currency,
        bool_or(include_sunk) as include_sunk
{%- endmacro %}
