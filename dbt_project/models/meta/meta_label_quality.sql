-- One row per kind of label, class, language, version of the labels and sample it was judged on.
with

quality as (
    select * from {{ source('load', 'label_quality') }}
),

final as (
    select
        label_kind,
        label,
        language,
        label_version,
        sample,
        texts,
        precision,
        recall,
        f1,
        is_in_use,
        evaluated_at
    from quality
)

select * from final
