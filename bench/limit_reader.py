"""The floor: fetch every page with requests and parse it whole with orjson; nothing is kept."""

from __future__ import annotations

import sys

import orjson
import requests


def main(url: str) -> None:
    session = requests.Session()
    page_name: str | None = "0"
    orders = 0
    while page_name is not None:
        answer = session.get(f"{url}/orders", params={"page": page_name}, timeout=60)
        page = orjson.loads(answer.content)
        orders += len(page["orders"])
        page_name = page.get("pagination", {}).get("nextToken")
    print(orders)


if __name__ == "__main__":
    main(sys.argv[1])
