select * from {{ ref('metric_definitions') }}
