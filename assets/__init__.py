"""What we keep: landing, warehouse, dbt build, publication. Imports sources, never pipelines."""
