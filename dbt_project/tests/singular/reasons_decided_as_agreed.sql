-- Which of code, text and inspection decides: the five examples of the taxonomy, one where text
-- says what the code says, and closer codes of one first level against texts that are sure or not.
with

cases as (
    select *
    from (
        values
        (
            'product_defect.functional', 'product_defect.quality_cosmetic', 'none', 0.6,
            'product_defect.quality_cosmetic', 'text', false
        ),
        (
            'product_defect.functional', 'logistics.damaged_in_transit', 'none', 0.95,
            'product_defect.functional', 'code', true
        ),
        ('unknown.other', 'fit.too_small', 'none', 0.6, 'fit.too_small', 'text', false),
        ('none', 'logistics.late', 'none', 0.6, 'logistics.late', 'text', false),
        (
            'remorse.changed_mind', 'product_defect.functional', 'product_defect.missing_parts',
            0.95, 'product_defect.missing_parts', 'inspection', true
        ),
        ('fit.too_small', 'fit.too_large', 'none', 0.95, 'fit.too_small', 'code', true),
        ('fit.fit_unspecified', 'fit.too_small', 'none', 0.6, 'fit.too_small', 'text', false),
        ('fit.too_small', 'fit.too_small', 'none', 0.6, 'fit.too_small', 'code', false),
        (
            'product_defect.missing_parts', 'product_defect.quality_cosmetic', 'none', 0.6,
            'product_defect.missing_parts', 'code', true
        ),
        (
            'product_defect.quality_cosmetic', 'product_defect.safety_allergy', 'none', 0.9,
            'product_defect.safety_allergy', 'text', false
        )
    ) as agreed (code, text_label, inspected, confidence, final, source, is_conflict)
),

coarse_labels as (
    select *
    from (
        values
        ('remorse.style_preference', 'remorse.changed_mind', true),
        ('description.colour_material', 'description.not_as_described', true),
        ('product_defect.quality_cosmetic', 'product_defect.functional', true),
        ('logistics.undeliverable_other', 'logistics.late', true),
        ('fit.too_small', 'fit.fit_unspecified', true),
        ('fit.fit_unspecified', 'fit.too_small', false),
        ('product_defect.missing_parts', 'product_defect.functional', false),
        ('logistics.damaged_in_transit', 'logistics.late', false),
        ('price.better_price', 'remorse.changed_mind', false)
    ) as agreed (code, text_label, is_coarser)
),

-- facts/metrics.md 4.7: precision 0.90 and recall 0.75 make 30 units that texts tell 36
corrections as (
    select *
    from (
        values
        (30, 30, 0.90 / 0.75, 36.0),
        (30, 10, 0.90 / 0.75, 32.0),
        (30, 0, cast(null as double), 30.0)
    ) as agreed (units, by_text, correction, corrected)
),

decided as (
    select
        *,
        {{ reason_final("code", "text_label", "inspected", "confidence") }} as our_final,
        {{ reason_source("code", "text_label", "inspected", "confidence") }} as our_source,
        {{ reason_conflict("code", "text_label", "confidence") }} as our_conflict
    from cases
)

select
    code,
    text_label
from decided
where our_final <> final or our_source <> source or our_conflict <> is_conflict
union all
select
    code,
    text_label
from coarse_labels
where {{ text_is_coarser("code", "text_label") }} <> is_coarser
union all
select
    'units_corrected' as code,
    cast(units as varchar) as text_label
from corrections
where abs({{ corrected_units("units", "by_text", "correction") }} - corrected) > 0.0001
