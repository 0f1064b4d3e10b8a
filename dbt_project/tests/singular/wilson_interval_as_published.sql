-- The interval of every rate, against figures recomputed elsewhere (facts: 81/263 and 0/20 are cases
-- of Newcombe 1998).
with

cases as (
    select
        hits,
        trials,
        cast(low as double) as low,
        cast(high as double) as high
    from (
        values
        (81, 263, 0.255289, 0.366210),
        (0, 20, 0.000000, 0.161125),
        (1, 10, 0.017876, 0.404150),
        (0, 10, 0.000000, 0.277533),
        (3, 10, 0.107791, 0.603222),
        (3, 40, 0.025836, 0.198642),
        (50, 1000, 0.038130, 0.065314),
        (3, 3, 0.438503, 1.000000)
    ) as published (hits, trials, low, high)
),

computed as (
    select
        *,
        {{ wilson_low("hits", "trials") }} as our_low,
        {{ wilson_high("hits", "trials") }} as our_high,
        {{ wilson_low("hits", "0") }} as of_nothing
    from cases
)

select *
from computed
where
    abs(our_low - low) > 1e-6
    or abs(our_high - high) > 1e-6
    or of_nothing is not null
