{#- All connectors' rows of one conformed entity, for example union_conformed('order_lines').
    Which connector conforms which entity stands in dbt_project.yml (var connectors, one line each);
    the columns of an entity stand in conformed_columns, and conformed_by says whose staging gave the
    row. Adding a marketplace changes neither macro. -#}
{% macro union_conformed(entity) -%}
    {%- set columns = conformed_columns(entity) -%}
    {%- set connectors = [] -%}
    {%- for connector, entities in var("connectors").items() if entity in entities -%}
        {%- do connectors.append(connector) -%}
    {%- endfor -%}
    {%- if not connectors -%}
        {{ exceptions.raise_compiler_error("No connector in var connectors conforms " ~ entity) }}
    {%- endif -%}
    {%- for connector in in_use(connectors) %}
    select
        {%- for column in columns %}
        {{ column }},
        {%- endfor %}
        '{{ connector }}' as conformed_by
    from {{ ref("stg_" ~ connector ~ "__" ~ entity) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{#- Of these connectors those in use (var connectors_in_use; none given: all). Where none of them is, all
    stay, so that there is something to select no rows from. dbt must see every one while it parses. -#}
{% macro in_use(connectors) -%}
    {%- set used = [] -%}
    {%- for connector in connectors if connector in var("connectors_in_use", connectors) -%}
        {%- do used.append(connector) -%}
    {%- endfor -%}
    {{ return(used if execute and used else connectors) }}
{%- endmacro %}


{#- The one list of columns per conformed entity. A new column goes to the end, and every connector
    that conforms the entity gives it (cast(null as ...) where its source has none). -#}
{% macro conformed_columns(entity) -%}
    {%- set shapes = {
        "order_lines": [
            "connector", "account", "marketplace", "order_id", "order_number", "line_id", "sku",
            "listing_id", "order_status", "quantity_ordered", "quantity_cancelled",
            "quantity_shipped", "currency", "net_amount", "tax_amount", "discount_amount",
            "shipping_amount", "country", "customer_key", "ordered_at", "paid_at", "cancelled_at",
            "cancel_reason", "ship_by_at", "promised_at", "shipped_at", "delivered_at",
            "estimated_delivery_date", "fulfilled_by", "fulfilment_centre_id", "payment_method",
            "is_undelivered_units", "gives_requests", "gives_receipts",
        ],
        "order_links": ["connector", "account", "order_id", "original_order_id", "link_kind"],
        "return_lines": [
            "connector", "account", "return_id", "line", "order_id", "line_id", "sku", "quantity",
            "requested_at", "received_at", "graded_at", "native_status", "native_resolution",
            "reason_raw", "disposition", "comment_hash", "is_closed_without_goods",
        ],
        "refund_lines": [
            "connector", "account", "refund_id", "line", "order_id", "line_id", "sku", "return_id",
            "refunded_at", "currency", "net_amount", "tax_amount", "shipping_amount", "native_kind",
            "refund_method", "units", "is_returnless", "amount_source", "goods_amount",
        ],
        "settlement_lines": [
            "connector", "account", "settlement_id", "row_no", "marketplace", "posted_at",
            "transaction_type", "amount_type", "amount_description", "amount", "currency",
            "order_id", "sku", "line_class",
        ],
        "return_charges": [
            "connector", "account", "return_id", "line", "order_id", "line_id", "sku",
            "charge_kind", "payer", "amount", "currency", "charged_at",
        ],
        "reimbursements": [
            "connector", "account", "reimbursement_id", "line_no", "approved_at", "order_id", "sku",
            "reason_raw", "currency", "amount", "quantity_cash", "quantity_inventory",
            "original_reimbursement_id", "case_ref",
        ],
        "removals": [
            "connector", "account", "removal_id", "line_no", "requested_at", "updated_at", "sku",
            "disposition", "order_type", "quantity_shipped", "quantity_disposed", "fee_amount",
            "currency",
        ],
        "stock_moves": [
            "connector", "account", "move_id", "moved_at", "sku", "fulfilment_centre_id",
            "move_kind", "quantity", "grade", "reason_raw", "reference_id",
        ],
        "lots": [
            "connector", "account", "sku", "lot_id", "expiry_date", "quantity", "declared_at",
        ],
        "feedback": [
            "connector", "account", "marketplace", "feedback_kind", "feedback_source",
            "feedback_id", "order_id", "line_id", "sku", "listing_id", "created_at", "stars",
            "native_sentiment", "comment_hash", "changed_at", "removed_at", "contacted_at",
            "replied_at", "is_published", "stars_first", "group_ref",
        ],
        "product_refs": ["connector", "account", "marketplace", "product_ref", "sku"],
        "cases": [
            "connector", "account", "case_source", "case_id", "marketplace", "order_ref",
            "line_ref", "sku_ref", "customer_key", "team_ref", "agent", "case_type", "topic_raw",
            "reason_raw", "case_status", "opened_at", "first_reply_at", "first_reply_by",
            "first_response_business_hours", "resolved_at", "reopened_count", "contacts",
            "agent_replies", "messages_in", "messages_out", "waiting_since", "decision",
            "escalated_to", "escalation_result", "outcome", "csat_asked_at", "csat_answered_at",
            "csat_score", "csat_scale", "is_csat_positive", "comment_hash",
        ],
        "messages": [
            "connector", "account", "case_source", "case_id", "message_id", "direction",
            "author_kind", "sent_at", "language", "template_id", "comment_hash",
        ],
        "topics": ["raw_topic", "topic_l2", "case_type", "reason_l2"],
        "claims": [
            "connector", "account", "claim_id", "party", "marketplace", "supplier_id", "lot_id",
            "sku", "order_ref", "tracking_number", "units", "opened_at", "decided_at",
            "claim_status", "claimed_amount", "paid_amount", "currency",
        ],
        "settlements": [
            "connector", "account", "settlement_id", "total_amount", "currency", "deposited_at",
        ],
        "marketplaces": [
            "connector", "marketplace", "marketplace_id", "marketplace_name", "marketplace_kind",
            "home_country", "currency", "time_zone", "sales_channel", "region_group",
            "prices_include_tax",
        ],
        "reasons": ["connector", "raw_code", "reason_l2", "confidence", "valid_from"],
        "exchange_lines": [
            "connector", "account", "exchange_id", "order_id", "line_id", "return_id", "sku",
            "quantity", "exchanged_at",
        ],
        "disputes": [
            "connector", "account", "dispute_id", "order_id", "dispute_kind", "status", "reason_raw",
            "opened_at", "closed_at", "amount", "currency",
        ],
        "shipments": [
            "connector", "account", "marketplace", "order_id", "line_id", "return_id", "quantity",
            "carrier_raw", "service_raw", "tracking_number", "direction", "shipped_at",
            "promised_at", "origin", "destination", "fulfilment_centre_id", "label_amount",
            "label_currency",
        ],
        "unit_costs": ["connector", "account", "sku", "as_of_date", "unit_cost", "currency"],
        "shipments": [
            "connector", "account", "marketplace", "order_id", "line_id", "return_id", "quantity",
            "carrier_raw", "service_raw", "tracking_number", "direction", "shipped_at",
            "promised_at", "origin", "destination", "fulfilment_centre_id", "label_amount",
            "label_currency",
        ],
        "parcels": [
            "connector", "account", "tracking_source", "carrier_raw", "tracking_number",
            "order_ref", "direction", "service_raw", "origin", "destination", "promised_date",
            "first_estimate_date", "seen_at", "native_status", "native_substatus",
        ],
        "parcel_events": [
            "connector", "account", "tracking_source", "carrier_raw", "tracking_number",
            "order_ref", "event_at", "event_date", "native_status", "native_substatus",
            "native_text", "country", "leg", "is_superseded",
        ],
        "parcel_costs": [
            "connector", "account", "carrier_raw", "tracking_number", "charge_type", "amount",
            "currency", "billed_at", "bill_ref", "service_raw", "weight_g", "order_ref",
        ],
    } -%}
    {%- if entity not in shapes -%}
        {{ exceptions.raise_compiler_error("conformed_columns knows no entity " ~ entity) }}
    {%- endif -%}
    {{ return(shapes[entity]) }}
{%- endmacro %}
