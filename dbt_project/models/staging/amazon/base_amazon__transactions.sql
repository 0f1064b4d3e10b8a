-- One row per transaction of Finances that counts. Money held back is posted, and posted again when
-- it is released: of two transactions that name each other, the released one counts.
with

source as (
    select * from {{ source('raw_amazon', 'transactions') }}
),

posted as (
    select
        source._account as account,
        source.transactionId as transaction_id,
        source.transactionType as transaction_type,
        source.transactionStatus as transaction_status,
        source.description as transaction_description,
        {{ iso_timestamp("source.postedDate") }} as posted_at,
        source.relatedIdentifiers as related_identifiers,
        source.items
    from source
),

identifiers as (
    select
        account,
        transaction_id,
        {{ elements("related_identifiers") }} as identifier
    from posted
),

named as (
    select
        identifiers.account,
        identifiers.transaction_id,
        max(case
            when identifiers.identifier.relatedIdentifierName = 'ORDER_ID'
                then identifiers.identifier.relatedIdentifierValue
        end) as order_id,
        max(case
            when identifiers.identifier.relatedIdentifierName = 'DEFERRED_TRANSACTION_ID'
                then identifiers.identifier.relatedIdentifierValue
        end) as deferred_id,
        max(case
            when identifiers.identifier.relatedIdentifierName = 'RELEASE_TRANSACTION_ID'
                then identifiers.identifier.relatedIdentifierValue
        end) as release_id
    from identifiers
    group by identifiers.account, identifiers.transaction_id
),

superseded as (
    select
        account,
        deferred_id as transaction_id
    from named
    where deferred_id <> transaction_id
    union
    select
        held.account,
        held.transaction_id
    from named as held
    inner join posted
        on held.account = posted.account and held.release_id = posted.transaction_id
    where held.release_id <> held.transaction_id
),

transactions as (
    select
        posted.account,
        posted.transaction_id,
        posted.transaction_type,
        posted.transaction_status,
        posted.transaction_description,
        posted.posted_at,
        named.order_id,
        posted.items
    from posted
    left join named
        on posted.account = named.account and posted.transaction_id = named.transaction_id
    left join superseded
        on
            posted.account = superseded.account
            and posted.transaction_id = superseded.transaction_id
    where superseded.transaction_id is null
)

select * from transactions
