"""Calls of the Admin GraphQL API for one shop: token, cost bucket, paging of connections.

Belongs here: sending an operation and going through its pages. Does not belong here: which
operations make a stream (`orders.py`, `refunds.py`, `returns.py`), the meaning of errors
(`answers.py`).
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import requests

from sources._core.auth import TokenAuth
from sources._core.clock import Clock
from sources._core.connector import AccountSettings
from sources._core.errors import ConfigurationError, SourceError, StopStream
from sources._core.http import Call, Retries, Session
from sources._core.limits import Rate, TokenBucket
from sources._core.pagination import walk

from .answers import Cost, Envelope, Fault, TooCostlyError, error_of, faults_of, read_envelope
from .config import (
    API_VERSION,
    GRAPHQL_PATH,
    LARGEST_PAGE,
    MOST_ORDERS,
    ORDERS_SCOPE,
    SIZES,
    USER_AGENT,
    ShopifyAccount,
)
from .operations import text_of

ACCESS_HEADER = "X-Shopify-Access-Token"
VERSION_HEADER = "X-Shopify-API-Version"
_TRIES = Retries(tries=10, first_wait=1.0, max_wait=60.0)
_RENEW_AT = 0.8  # of a token's life
_MAX_EMPTY_PAGES = 500

Node = dict[str, Any]


class Token(msgspec.Struct):
    access_token: str
    expires_in: float = 86_399.0
    scope: str = ""


@dataclass(frozen=True)
class Result:
    """Data of an answer, and what of it was denied."""

    data: Node
    denied: Sequence[Fault] = ()


@dataclass(frozen=True)
class Shop:
    """Who the shop says it is, and what the token may do."""

    record: Node
    scopes: frozenset[str]


class ShopifyClient:
    """One shop. Safe for the threads of its streams."""

    def __init__(self, account: ShopifyAccount, clock: Clock) -> None:
        self.account = account
        self.clock = clock
        self._auth = _auth(account, clock)
        self._session = Session(
            account.endpoint,
            clock,
            auth=self._auth.tokens,
            retries=_TRIES,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
            classify=functools.partial(_error_of_status, account),
        )
        self._storage = Session("", clock, retries=_TRIES)
        self._pacing = _Pacing(clock)
        self._sizes = {operation: dict(sizes) for operation, sizes in SIZES.items()}
        self._lock = threading.Lock()
        self._shop: Shop | None = None

    def close(self) -> None:
        for session in (self._session, self._storage, self._auth.session):
            session.close()

    def shop(self) -> Shop:
        """Identity and rights, asked once a night; ConfigurationError where they do not fit."""
        with self._lock:
            if self._shop is None:
                self._shop = self._preflight()
            return self._shop

    def ask(self, operation: str, variables: Mapping[str, Any] | None = None) -> Result:
        """Send an operation; in smaller pieces where it costs too much."""
        while True:
            sizes = dict(self._sizes.get(operation, {}))
            try:
                return self._send(operation, {**sizes, **(variables or {})})
            except TooCostlyError as error:
                self._halve(operation, sizes, error)

    def pages(
        self, operation: str, path: Sequence[str], variables: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[list[Any], Result]]:
        """Nodes of the connection at `path`, page by page; an empty page is not the end."""
        empty = 0

        def fetch(token: str | None) -> tuple[tuple[list[Any], Result], str | None]:
            nonlocal empty
            result = self.ask(operation, {**(variables or {}), "after": token})
            connection = at(result.data, path)
            nodes = nodes_of(connection)
            empty = 0 if nodes else empty + 1
            if empty > _MAX_EMPTY_PAGES:
                raise StopStream(f"{operation} gave {empty} empty pages in a row without an end.")
            return (nodes, result), next_cursor(connection, operation)

        yield from walk(fetch, operation)

    def complete(self, node: Node, connection: str, operation: str, root: str, cursor: str) -> None:
        """Read the further pages of one connection of a node, by the node's own id."""
        seen: set[str] = set()
        while token := next_cursor(node.get(connection), operation):
            if token in seen:
                raise StopStream(f"{operation} gave the same cursor of {connection} twice.")
            seen.add(token)
            found = self.ask(operation, {"id": node["id"], cursor: token}).data.get(root) or {}
            page = found.get(connection) or {}
            nodes = nodes_of(node[connection]) + nodes_of(page)
            node[connection] = {"nodes": nodes, "pageInfo": page.get("pageInfo")}

    def whole(self, operation: str, root: str, node_id: str) -> Node | None:
        """A node with all its connections in one answer: asked in larger pieces until it is."""
        found: Node | None = self.ask(operation, {"id": node_id}).data.get(root)
        sizes = dict(self._sizes[operation])
        while is_cut(found, sizes):
            if min(sizes.values()) >= LARGEST_PAGE:
                raise StopStream(f"{operation} of {node_id} has more parts than one answer holds.")
            sizes = {name: min(size * 2, LARGEST_PAGE) for name, size in sizes.items()}
            found = self._send(operation, {"id": node_id, **sizes}).data.get(root)
        return found

    def sizes(self, operation: str) -> Mapping[str, int]:
        """Sizes of an operation's pages as they are now."""
        return dict(self._sizes[operation])

    def count_orders(self, search: str) -> int:
        """Orders that a search finds, at most one more than can be paged."""
        found = self.ask("OrdersCount", {"q": search, "limit": MOST_ORDERS + 1}).data
        return int((found.get("ordersCount") or {}).get("count") or 0)

    def download(self, url: str, target: Path) -> None:
        self._storage.download(Call("GET", url, is_authorised=False), target)

    def _send(self, operation: str, variables: Mapping[str, Any]) -> Result:
        self._pacing.wait(operation)
        body = {"query": text_of(operation), "variables": variables, "operationName": operation}
        call = Call("POST", GRAPHQL_PATH, json=body)

        def take(content: bytes) -> Envelope:
            envelope = read_envelope(content)
            self._pacing.learn(operation, envelope.cost)
            error = error_of(envelope, operation)
            if error is not None:
                raise error
            return envelope

        answer = self._session.request(call, take)
        version = answer.headers.get(VERSION_HEADER, API_VERSION)
        if version != API_VERSION:
            raise ConfigurationError(
                f"account {self.account.name}: Shopify answered by API version {version} instead "
                f"of {API_VERSION}, which it no longer serves. Install a newer release."
            )
        return Result(answer.value.data or {}, faults_of(answer.value))

    def _halve(self, operation: str, sizes: Mapping[str, int], error: TooCostlyError) -> None:
        if all(size <= 1 for size in sizes.values()):
            raise error
        with self._lock:
            if self._sizes[operation] == sizes:  # else another thread has done it
                self._sizes[operation] = {n: max(size // 2, 1) for n, size in sizes.items()}

    def _preflight(self) -> Shop:
        found = self.ask("Preflight").data
        record: Node = found.get("shop") or {}
        granted = (found.get("currentAppInstallation") or {}).get("accessScopes") or []
        scopes = frozenset(scope["handle"] for scope in granted if scope)
        domain, expected = record.get("myshopifyDomain"), self.account.shop
        if expected is not None and domain != expected:
            raise ConfigurationError(
                f"account {self.account.name}: shop is set to {expected}, but the answers come "
                f"from {domain}. Correct shop, or the app's secrets."
            )
        if ORDERS_SCOPE not in scopes:
            raise ConfigurationError(
                f"account {self.account.name}: the token may not read orders ({ORDERS_SCOPE} is "
                "missing). Add the rights to the app, release its version and install it again; "
                "`aftersales check-config` lists them. Else check the account's secrets."
            )
        return Shop(record, scopes)


@dataclass(frozen=True)
class _Auth:
    tokens: TokenAuth
    session: Session


def _auth(account: ShopifyAccount, clock: Clock) -> _Auth:
    """The lasting token where there is one, else tokens of the client-credentials grant."""
    session = Session("", clock, classify=functools.partial(_error_of_login, account))
    lasting = account.secrets.get("access_token")
    if lasting is not None:
        token = lasting.get_secret_value()
        kept = TokenAuth(
            lambda: (token, math.inf),
            clock,
            header=ACCESS_HEADER,
            prefix="",
            is_expired=lambda _response: False,
        )
        return _Auth(kept, session)
    form = {"grant_type": "client_credentials"}
    for name in account.secret_names:
        secret = account.secrets.get(name)
        if secret is None:
            raise ConfigurationError(
                f"account {account.name} has no secret {name}: add secrets.{name} with the name of "
                "the environment variable that holds it, or secrets.access_token"
            )
        form[name] = secret.get_secret_value()

    def fetch() -> tuple[str, float]:
        call = Call("POST", account.token_endpoint, data=form, is_authorised=False)
        answer = session.request(call, msgspec.json.Decoder(Token).decode).value
        return answer.access_token, answer.expires_in * _RENEW_AT

    return _Auth(TokenAuth(fetch, clock, header=ACCESS_HEADER, prefix="", early=0.0), session)


class _Pacing:
    """The shop's bucket of points, as its answers tell it, and what each operation asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._bucket: TokenBucket | None = None
        self._asked: dict[str, float] = {}

    def wait(self, operation: str) -> None:
        """Until the bucket holds what the same operation cost the last time."""
        with self._lock:
            bucket, expected = self._bucket, self._asked.get(operation, 0.0)
        if bucket is not None and expected:
            bucket.acquire(expected)

    def learn(self, operation: str, cost: Cost | None) -> None:
        if cost is None:
            return
        with self._lock:
            if cost.requested_query_cost:
                self._asked[operation] = cost.requested_query_cost
            status = cost.throttle_status
            if status is None or status.restore_rate <= 0 or status.maximum_available < 1:
                return
            if self._bucket is None:
                rate = Rate(status.restore_rate, status.maximum_available)
                self._bucket = TokenBucket(rate, self._clock)
            bucket = self._bucket
        bucket.adapt(status.restore_rate, status.maximum_available)
        bucket.set_available(status.currently_available)


def _error_of_status(
    account: ShopifyAccount, response: requests.Response, subject: str
) -> SourceError | None:
    """Shopify's refusals by status; None leaves it to the default table."""
    if response.status_code == 404:
        return ConfigurationError(
            f"{subject} answered 404: there is no such shop. Correct shop (or base_url) of account "
            f"{account.name}."
        )
    if response.status_code in (402, 423):
        return ConfigurationError(
            f"{subject} answered {response.status_code}: the shop of account {account.name} is "
            "frozen or locked. Settle it in Shopify's admin."
        )
    return None


def _error_of_login(
    account: ShopifyAccount, response: requests.Response, subject: str
) -> SourceError | None:
    status = response.status_code
    if status not in (400, 401, 403, 404):
        return None
    return ConfigurationError(
        f"{subject} answered {status}: no access token for account {account.name}. Check the "
        "variables of secrets.client_id and secrets.client_secret, that the app is installed in "
        "this shop, and that both belong to one organisation."
    )


def at(data: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = data
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def nodes_of(connection: Any) -> list[Any]:
    """Nodes of a connection as they came, null ones too; `edges` where it has no `nodes`."""
    if not isinstance(connection, Mapping):
        return []
    if connection.get("nodes") is not None:
        return list(connection["nodes"])
    return [edge.get("node") if edge else None for edge in connection.get("edges") or ()]


def next_cursor(connection: Any, operation: str) -> str | None:
    """Cursor of the next page; None at the end."""
    info = connection.get("pageInfo") if isinstance(connection, Mapping) else None
    if not info or not info.get("hasNextPage"):
        return None
    if not info.get("endCursor"):
        raise StopStream(f"{operation} says that there is a next page, but not where it begins.")
    return str(info["endCursor"])


def is_cut(value: Any, sizes: Mapping[str, int]) -> bool:
    """Whether a connection below has more pages, or a list is as long as was asked for."""
    if isinstance(value, list):
        return any(is_cut(element, sizes) for element in value)
    if not isinstance(value, Mapping):
        return False
    info = value.get("pageInfo") or {}
    shipments = value.get("fulfillments")
    is_full = isinstance(shipments, list) and len(shipments) >= sizes.get("shipments", math.inf)
    return (
        bool(info.get("hasNextPage"))
        or is_full
        or any(is_cut(inner, sizes) for inner in value.values())
    )


def open_account(account: AccountSettings, clock: Clock) -> ShopifyClient:
    if not isinstance(account, ShopifyAccount):
        raise TypeError("a Shopify account is needed")
    if account.shop is None and account.base_url is None:
        raise ConfigurationError(
            f"account {account.name} names no shop: add shop, for example brand.myshopify.com"
        )
    return ShopifyClient(account, clock)
