-- Published tables named fct_... are as the contract promises.
{{ broken_contracts("fct_") }}
