"""The yardstick: dlt's own REST source into DuckDB, with its defaults or tuned.

Tuned means what dlt's performance guide offers: two workers, buffers of 50,000 items, Parquet
load files, no compression of its intermediate files. Runs in an environment of its own.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

TUNED = {
    "EXTRACT__WORKERS": "2",
    "NORMALIZE__WORKERS": "2",
    "LOAD__WORKERS": "2",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "50000",
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "EXTRACT__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
}


def orders(url: str) -> Any:
    """The pages of `pages.py`, with a cursor in each answer."""
    paginator = {
        "type": "cursor",
        "cursor_path": "pagination.nextToken",
        "cursor_param": "page",
    }
    endpoint = {"path": "orders", "data_selector": "orders", "paginator": paginator}
    resource = {"name": "records", "primary_key": "orderId", "endpoint": endpoint}
    return {"client": {"base_url": url}, "resources": [resource]}


def recorded(url: str, selector: str) -> Any:
    """Recorded pages of a source, the next one in a header."""
    endpoint = {"path": "bench/pages/0", "data_selector": selector, "paginator": "header_link"}
    resource = {"name": "records", "endpoint": endpoint}
    return {"client": {"base_url": url}, "resources": [resource]}


def main(url: str, tuned: bool, selector: str | None = None) -> None:
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"  # else it lists each field that is always empty
    if tuned:
        os.environ.update(TUNED)
    import dlt
    from dlt.sources.rest_api import rest_api_source

    source = rest_api_source(recorded(url, selector) if selector else orders(url))
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "bench",
            pipelines_dir=f"{folder}/state",
            destination=dlt.destinations.duckdb(f"{folder}/bench.duckdb"),
            dataset_name="raw",
        )
        if tuned:
            pipeline.run(source, loader_file_format="parquet")
        else:
            pipeline.run(source)
        with pipeline.sql_client() as client:
            print(client.execute_sql("select count(*) from records")[0][0])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "tuned", *sys.argv[3:])
