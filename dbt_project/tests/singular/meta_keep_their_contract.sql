-- Published tables named meta_... are as the contract promises.
{{ broken_contracts("meta_") }}
