-- The rows of a settlement are what it paid out. A warning: the sums of a marketplace may be wrong;
-- the difference stands in meta.data_quality.
{{ config(severity = 'warn') }}

select
    account,
    settlement_id,
    currency,
    total_amount,
    lines_amount,
    difference_amount
from {{ ref('int_settlement__summed') }}
where difference_amount <> 0
