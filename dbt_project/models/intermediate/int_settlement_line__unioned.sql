-- One row per row of a settlement of every source.
{{ union_conformed('settlement_lines') }}
