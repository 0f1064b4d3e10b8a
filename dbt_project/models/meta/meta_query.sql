select * from {{ ref('evidence_queries') }}
