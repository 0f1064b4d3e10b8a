{#- Which account a row of the seller's own files belongs to: what the inbox resolved on reading;
    a channel that fits no account is its own account and marketplace of the connector files. -#}
{% macro file_channel_columns() -%}
    coalesce(channel_connector, 'files') as connector,
        coalesce(channel_account, channel) as account,
        coalesce(
            channel_marketplace,
            case when coalesce(channel_connector, 'files') = 'files'
                then coalesce(channel_account, channel) end
        ) as marketplace
{%- endmacro %}


{#- The same where a row need not name a channel: it then belongs to the inbox, and its marketplace
    is that of the order or product it is linked to. -#}
{% macro file_channel_or_inbox_columns() -%}
    coalesce(channel_connector, 'files') as connector,
        coalesce(channel_account, channel, _account) as account,
        coalesce(
            channel_marketplace,
            case when coalesce(channel_connector, 'files') = 'files'
                then coalesce(channel_account, channel) end
        ) as marketplace
{%- endmacro %}


{#- Part of the reference of a file dropped into the inbox: 1 its name, 2 refused or skipped. -#}
{% macro dropped_file_part(reference, part) -%}
    regexp_extract({{ reference }}, '^(.*)#[0-9a-f]{64}(?:#([a-z]+))?$', {{ part }})
{%- endmacro %}
