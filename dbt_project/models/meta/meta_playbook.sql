select
    playbook_id,
    title_en,
    title_zh,
    text_en,
    text_zh,
    owner_role
from {{ ref('playbooks') }}
