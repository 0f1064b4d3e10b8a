{#- Names of all published models: those whose yml gives them the test keeps_contract. dbt wants to know
    while it reads a test what the test looks at, so the list stands here; a test of the project compares
    it with the yml. -#}
{% macro published_models() -%}
    {{ return([
        "dim_account", "dim_marketplace", "dim_country", "dim_category", "dim_product", "dim_sku",
        "dim_sku_history", "dim_listing", "dim_supplier", "dim_lot", "dim_carrier", "dim_reason",
        "dim_date", "dim_customer", "dim_team", "dim_policy", "dim_fx_rate", "fct_order_line",
        "fct_unit_outcome", "fct_lot_allocation", "fct_parcel", "fct_parcel_event",
        "fct_parcel_line", "fct_return_line", "fct_return_lot", "fct_refund_line", "fct_exchange",
        "fct_feedback", "fct_case", "fct_message", "fct_text_label", "fct_text_reason",
        "fct_after_sales_cost", "fct_order_event", "fct_settlement_line", "fct_inventory_move",
        "fct_claim", "mart_cost_by_sku", "mart_cost_by_sku_cohort", "mart_cost_by_lot",
        "mart_cost_by_region", "mart_cost_by_month", "mart_order_profit", "mart_action_queue",
        "mart_headline", "mart_return_base", "mart_return_rate_by_sku", "mart_return_rate_by_lot",
        "mart_return_rate_by_region", "mart_return_reason_by_sku", "mart_return_cohort",
        "mart_satisfaction", "mart_key_phrase", "meta_metric_definition", "meta_table_description",
        "meta_column_description", "meta_freshness", "meta_build", "meta_current",
        "meta_data_quality", "meta_quarantine", "meta_unmapped_code", "meta_loaded_file",
        "meta_schema_drift", "meta_late_arrival", "meta_restatement", "meta_override",
        "meta_label_quality", "meta_query", "meta_playbook", "signals_alert",
        "signals_alert_delivery",
    ]) }}
{%- endmacro %}
