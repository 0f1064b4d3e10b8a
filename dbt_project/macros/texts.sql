{#- Texts of people as they are hashed: every model that names a text by its hash joins the same
    parts in the same way. -#}

{#- Parts of one text (title, body) as one; NULL where there is none. -#}
{% macro joined_text(parts) -%}
    nullif(trim(concat_ws(' ', {{ parts | join(", ") }})), '')
{%- endmacro %}


{% macro text_hash(parts) -%}
    md5({{ joined_text(parts) }})
{%- endmacro %}
