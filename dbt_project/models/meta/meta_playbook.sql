select * from {{ ref('playbooks') }}
