-- Published tables named signals_... are as the contract promises.
{{ broken_contracts("signals_") }}
