-- Published tables named mart_... are as the contract promises.
{{ broken_contracts("mart_") }}
