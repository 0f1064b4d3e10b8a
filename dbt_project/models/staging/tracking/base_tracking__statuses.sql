-- One row per status and sub-status that a source of parcels may give. A sub-status that is NULL
-- stands for a status alone; where a vendor's list has none, for its general sub-status. Files may
-- use the words of every vendor.
with

listed as (
    select
        source,
        1 as preference,
        {{ status_word("native_status") }} as status_word,
        {{ status_word("native_substatus") }} as substatus_word,
        milestone,
        exception_code,
        counts_as_attempt = 'yes' as counts_as_attempt
    from {{ source('raw_tracking', 'file_statuses') }}
    union all
    select
        source,
        2 as preference,
        {{ status_word("native_status") }} as status_word,
        {{ status_word("native_substatus") }} as substatus_word,
        milestone,
        exception_code,
        counts_as_attempt = 'yes' as counts_as_attempt
    from {{ source('raw_tracking', 'statuses') }}
),

-- InTransit_Other, Exception_001, InfoReceived: what a vendor says when it says no more
general as (
    select
        source,
        preference,
        status_word,
        cast(null as varchar) as substatus_word,
        milestone,
        exception_code,
        counts_as_attempt
    from listed
    where
        substatus_word in (status_word, status_word || 'other', status_word || '001')
),

of_vendors as (
    select * from listed
    union all
    select * from general
),

for_files as (
    select
        'file' as source,
        preference + case source when '17track' then 0 when 'aftership' then 1 else 2 end
            as preference,
        status_word,
        substatus_word,
        milestone,
        exception_code,
        counts_as_attempt
    from of_vendors
    where source <> 'file'
    union all
    -- a file may give the fine word alone
    select
        'file' as source,
        preference + case source when '17track' then 3 when 'aftership' then 4 else 5 end
            as preference,
        substatus_word as status_word,
        cast(null as varchar) as substatus_word,
        milestone,
        exception_code,
        counts_as_attempt
    from listed
    where source <> 'file' and substatus_word is not null
),

known as (
    select * from of_vendors
    union all
    select * from for_files
),

statuses as (
    select
        source,
        status_word,
        substatus_word,
        milestone,
        exception_code,
        counts_as_attempt
    from known
    qualify
        row_number() over (
            partition by source, status_word, coalesce(substatus_word, '')
            order by preference
        ) = 1
)

select * from statuses
