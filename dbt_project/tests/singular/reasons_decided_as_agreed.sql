-- Which of code, text and inspection decides: the five examples of the taxonomy, and one where text
-- says what the code says.
with

cases as (
    select *
    from (
        values
        (
            'product_defect.functional', 'product_defect.quality_cosmetic', 'none',
            'product_defect.quality_cosmetic', 'text', false
        ),
        (
            'product_defect.functional', 'logistics.damaged_in_transit', 'none',
            'product_defect.functional', 'code', true
        ),
        ('unknown.other', 'fit.too_small', 'none', 'fit.too_small', 'text', false),
        ('none', 'logistics.late', 'none', 'logistics.late', 'text', false),
        (
            'remorse.changed_mind', 'product_defect.functional', 'product_defect.missing_parts',
            'product_defect.missing_parts', 'inspection', true
        ),
        ('fit.too_small', 'fit.too_large', 'none', 'fit.too_small', 'code', true),
        ('fit.fit_unspecified', 'fit.too_small', 'none', 'fit.too_small', 'text', false),
        ('fit.too_small', 'fit.too_small', 'none', 'fit.too_small', 'code', false)
    ) as agreed (code, text_label, inspected, final, source, is_conflict)
),

decided as (
    select
        *,
        {{ reason_final("code", "text_label", "inspected") }} as our_final,
        {{ reason_source("code", "text_label", "inspected") }} as our_source,
        {{ reason_conflict("code", "text_label") }} as our_conflict
    from cases
)

select *
from decided
where our_final <> final or our_source <> source or our_conflict <> is_conflict
