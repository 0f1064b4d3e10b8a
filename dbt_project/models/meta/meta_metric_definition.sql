select
    metric_id,
    metric_name,
    name_en,
    name_zh,
    formula_en,
    formula_zh,
    numerator,
    denominator,
    unit,
    unit_basis,
    time_basis,
    return_basis,
    horizon_days,
    carried_by
from {{ ref('metric_definitions') }}
