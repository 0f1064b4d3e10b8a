"""A loopback server of paged order JSON (about 1 KB an order), the same bytes for every reader.

Run as a process of its own, so that its CPU is not counted: the first line it prints is its
address. `GET /orders?page=n` answers `{"orders": [...], "pagination": {"nextToken": "n+1"}}`.
"""

from __future__ import annotations

import json
import random
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ORDERS_PER_PAGE = 250
START_DAY = 20_454  # days since 1970


def order(number: int, rng: random.Random) -> dict[str, Any]:
    """One order in the shape of the Orders API 2026-01-01, with one to three lines."""
    lines = rng.choice((1, 1, 2, 2, 3))
    day = START_DAY + number % 300
    stamp = f"2026-{1 + day % 12:02d}-{1 + day % 28:02d}T{number % 24:02d}:{number % 60:02d}:07Z"
    return {
        "orderId": f"{number % 1000:03d}-{number:07d}-{rng.randrange(10**7):07d}",
        "createdTime": stamp,
        "lastUpdatedTime": stamp,
        "programs": ["PRIME"],
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": "A1PA6795UKMFR9",
            "marketplaceName": "Amazon.de",
        },
        "fulfillment": {
            "fulfillmentStatus": "SHIPPED",
            "fulfilledBy": "AMAZON",
            "fulfillmentServiceLevel": "EXPEDITED",
        },
        "buyer": {"buyerEmail": f"{number}@buyer.example"},
        "orderItems": [item(number, line, rng) for line in range(lines)],
    }


def item(number: int, line: int, rng: random.Random) -> dict[str, Any]:
    amount = f"{rng.randrange(500, 20000) / 100:.2f}"
    return {
        "orderItemId": str(number * 10 + line),
        "quantityOrdered": rng.choice((1, 1, 1, 2)),
        "product": {
            "asin": f"B0{rng.randrange(10**8):08d}",
            "sellerSku": f"SKU-{rng.randrange(2000):05d}",
            "title": "Bottle warmer with timer and night light, white, 220 V, two bottles at once",
            "price": {"unitPrice": {"amount": amount, "currencyCode": "EUR"}},
        },
        "proceeds": {"proceedsTotal": {"amount": amount, "currencyCode": "EUR"}},
        "fulfillment": {"quantityFulfilled": 1, "quantityUnfulfilled": 0},
    }


def build_pages(count: int) -> list[bytes]:
    """`count` pages as bytes; the last has no token."""
    rng = random.Random(7)  # noqa: S311 - test data
    pages = []
    for page in range(count):
        first = page * ORDERS_PER_PAGE
        body: dict[str, Any] = {
            "orders": [order(first + n, rng) for n in range(ORDERS_PER_PAGE)],
            "lastUpdatedBefore": "2026-11-20T00:00:00Z",
        }
        if page + 1 < count:
            body["pagination"] = {"nextToken": str(page + 1)}
        pages.append(json.dumps(body, separators=(",", ":")).encode())
    return pages


def serve(count: int) -> None:
    """Serve until standard input closes."""
    pages = build_pages(count)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            token = query.get("page", ["0"])[0]
            body = pages[int(token)]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            del code, size

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    size = sum(map(len, pages))
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}", "bytes": size}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
