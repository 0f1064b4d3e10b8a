-- Published tables named dim_... are as the contract promises.
{{ broken_contracts("dim_") }}
