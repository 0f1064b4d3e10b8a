"""How we read an API. Nothing here knows Dagster, DuckDB or dbt."""
