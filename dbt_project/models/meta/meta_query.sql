select
    query_id,
    title_en,
    title_zh,
    sql
from {{ ref('evidence_queries') }}
