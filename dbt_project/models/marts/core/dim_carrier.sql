-- Carriers come with the parcels of a later source; until then only the reserved members.
select
    member as carrier_key,
    member as carrier,
    member as service,
    member as carrier_name,
    cast(null as boolean) as is_express
from {{ reserved_members() }}
