{#- The three members that stand in for NULL in every dimension, as rows of one column, member:
    unknown (not told, or not linked), none (there is none), all (the row is not split by this). -#}
{% macro reserved_members() -%}
    (values ('unknown'), ('none'), ('all')) as reserved (member)
{%- endmacro %}
