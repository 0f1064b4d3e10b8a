"""Shopify's Admin GraphQL API as the sandbox answers it, from the sheet and the official schema.

Belongs here: routes, who may call what, versions, cost, failing answers. The connector is not known
here, on purpose: both read the sheet, and a misunderstanding of one shows.

One server answers for all shops and for their token endpoints; the token picks the shop.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from threading import Lock
from typing import Any

import msgspec
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from sources._sandbox.api_faults import SLOW_ANSWER_S, ApiFaults, share_of, source_faults
from sources._sandbox.server import Environment, Request, Response

from .answers import RefusedError, json_response
from .auth import Tokens
from .bulk import BulkOperations
from .costs import MOST_A_QUERY, Buckets, Meter, objects_in
from .roots import Roots, by_id
from .snapshot import Snapshot, snapshots_of

VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
_TOKEN_PATH = "/admin/oauth/access_token"  # noqa: S105
_GRAPHQL = re.compile(r"/admin/api/(?P<version>\d{4}-\d{2}|unstable)/graphql\.json")
_BULK = re.compile(r"/bulk/(?P<name>[\w.-]+)")
Object = dict[str, Any]


@lru_cache(maxsize=1)
def served_schema() -> GraphQLSchema:
    """The types of the sandbox; answers are checked against the official schema in tests."""
    return build_schema(files(__package__).joinpath("served.graphql").read_text(encoding="utf-8"))


def domain_of(account: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", account.lower()).strip("-") + ".myshopify.com"


class ShopifySandbox:
    """The API of all shops of a scenario."""

    def __init__(self, environment: Environment) -> None:
        scenario, self._clock = environment.scenario, environment.clock
        accounts = [a.name for a in scenario.accounts if a.connector == "shopify"]
        self._seed = scenario.seed
        self._with_personal_data = environment.with_personal_data
        self._faults = ApiFaults(scenario.seed, scenario.api.shares)
        self._source_faults = source_faults("shopify", scenario.faults)
        self._tokens = Tokens(
            self._clock, accounts, scenario.api.token_lifetime_s, scenario.seed,
            environment.missing_roles,
        )  # fmt: skip
        self._buckets = Buckets(self._clock, scenario.api.throttle == "realistic")
        self._snapshots = snapshots_of(environment.world)
        self._bulk = BulkOperations(served_schema(), self._clock, self._faults, scenario.seed)
        self._roots: dict[int, Roots] = {}
        self._lock = Lock()
        self._answered = 0

    def handle(self, request: Request) -> Response:
        """One request: a token, a query, or the file of a bulk operation."""
        if self._source_faults.is_refusing(self._clock):
            return Response(503, is_dropped=True)
        if request.path == _TOKEN_PATH and request.method == "POST":
            return self._tokens.answer(request)
        match = _BULK.fullmatch(request.path)
        if match and request.method == "GET":
            return self._download(match["name"])
        match = _GRAPHQL.fullmatch(request.path)
        if match is None or request.method != "POST":
            return json_response({"errors": "Not Found"}, 404)
        account = self._tokens.account_of(request)
        if account is None:
            message = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return json_response({"errors": message}, 401)
        if self._source_faults.is_out(self._clock, account):
            return json_response({"errors": "Service Unavailable"}, 503)
        return self._labelled(self._answer(account, request), match["version"])

    def _labelled(self, response: Response, version: str) -> Response:
        """An unknown version falls forward to the oldest that still lives."""
        answered = version if version in VERSIONS else VERSIONS[0]
        with self._lock:
            self._answered += 1
            luck = share_of(self._seed, "request", self._answered)
        headers = {
            **response.headers,
            "X-Shopify-API-Version": answered,
            "X-Request-Id": f"sandbox-{int(luck * 16**12):012x}",
        }
        return replace(response, headers=headers)

    def _answer(self, account: str, request: Request) -> Response:
        fault = self._faults.next_fault(f"{account} {request.content}")
        if fault == "http_503":
            return json_response({"errors": "Service Unavailable"}, 503)
        try:
            body = msgspec.json.decode(request.body)
            query, variables = body["query"], body.get("variables") or {}
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
            return json_response({"errors": "Required parameter missing or invalid: query"}, 400)
        try:
            document = _parsed(query)
        except GraphQLError as error:
            return json_response({"errors": [error.formatted]})
        operation = get_operation_ast(document, body.get("operationName"))
        if operation is None:
            return json_response({"errors": [{"message": "No operation to run"}]})
        cost = Meter(served_schema(), document, variables).cost(operation)
        content = self._charged(
            account, request, document, operation, variables, cost, fault == "http_429"
        )
        response = json_response(content)
        if fault == "truncated":
            return replace(response, is_truncated=True)
        return replace(response, delay_s=SLOW_ANSWER_S) if fault == "slow" else response

    def _charged(
        self,
        account: str,
        request: Request,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
        cost: int,
        is_throttled: bool,
    ) -> Object:
        """The answer with what it cost. Throttling is an answer like any other: HTTP 200."""
        if cost > MOST_A_QUERY:
            text = f"Query cost is {cost}, which exceeds the single query max cost limit"
            return self._refused(
                account, cost, RefusedError("MAX_COST_EXCEEDED", f"{text} {MOST_A_QUERY}.")
            )
        if is_throttled or not self._buckets.takes(account, cost):
            return self._refused(account, cost, RefusedError("THROTTLED", "Throttled"))
        result = self._run(account, document, operation, variables, request.origin)
        content: Object = {"data": result.data}
        if result.errors:
            content["errors"] = [_told(error) for error in result.errors]
        actual = min(cost, objects_in(result.data))
        content["extensions"] = self._cost(account, cost, actual)
        return content

    def _refused(self, account: str, cost: int, refusal: RefusedError) -> Object:
        return {
            "errors": [_told(refusal)],
            "extensions": self._cost(account, cost, None),
        }

    def _cost(self, account: str, requested: int, actual: int | None) -> Object:
        status = self._buckets.status(account)
        return {
            "cost": {
                "requestedQueryCost": requested,
                "actualQueryCost": actual,
                "throttleStatus": status,
            }
        }

    def _run(
        self,
        account: str,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
        origin: str,
        *,
        is_bulk: bool = False,
    ) -> ExecutionResult:
        root = {**self._roots_of(account).values(), **self._bulk_fields(account, origin)}
        name = operation.name.value if operation.name else None
        return execute_sync(
            served_schema(),
            document,
            root_value=root,
            context_value={"is_bulk": is_bulk},
            variable_values=dict(variables),
            operation_name=name,
        )

    def _roots_of(self, account: str) -> Roots:
        snapshot: Snapshot = self._snapshots.at(account, self._clock.now())
        with self._lock:
            if id(snapshot) not in self._roots:
                if len(self._roots) > 8:
                    self._roots.clear()
                self._roots[id(snapshot)] = Roots(
                    snapshot, domain_of(account), frozenset(self._tokens.scopes(account)),
                    self._faults, self._with_personal_data,
                )  # fmt: skip
            return self._roots[id(snapshot)]

    def _bulk_fields(self, account: str, origin: str) -> Object:
        bulk = self._bulk

        def start(_info: Any, query: str, **named: Any) -> Object:
            is_grouped = bool(named.get("groupObjects"))
            return bulk.start(account, query, is_grouped, lambda text: self._whole(account, text))

        return {
            "bulkOperationRunQuery": start,
            "bulkOperation": by_id(lambda i: bulk.poll(account, i, origin)),
            "bulkOperationCancel": by_id(lambda i: bulk.cancel(account, i, origin)),
            "bulkOperations": lambda info, **page_of: bulk.listing(
                account, info, origin, **page_of
            ),
            "currentBulkOperation": lambda _info, **_: bulk.current(account, origin),
        }

    def _whole(self, account: str, query: str) -> Object:
        """The data of a bulk query: every connection to its end."""
        document = parse(query)
        operation = get_operation_ast(document)
        if operation is None:
            raise RefusedError("BAD_REQUEST", "No operation to run")
        result = self._run(account, document, operation, {}, "", is_bulk=True)
        if result.errors:
            raise result.errors[0]
        return result.data or {}

    def _download(self, name: str) -> Response:
        """The store: not throttled, but it too can be slow, or break off."""
        body = self._bulk.file(name)
        if body is None:
            return Response(403, b"<Error><Code>AccessDenied</Code></Error>")
        response = Response(200, body, {"Content-Type": "application/jsonl"})
        fault = self._faults.next_fault("bulk:" + name)
        if fault == "http_503":
            return Response(503, b"<Error><Code>SlowDown</Code></Error>")
        if fault == "truncated":
            return replace(response, is_truncated=True)
        return replace(response, delay_s=SLOW_ANSWER_S) if fault == "slow" else response


@lru_cache(maxsize=256)
def _parsed(query: str) -> DocumentNode:
    """A query that fits the schema; parsed and checked once."""
    document = parse(query)
    errors = validate(served_schema(), document)
    if errors:
        raise errors[0]
    return document


def _told(error: GraphQLError) -> Object:
    """An entry of `errors`; the code lies in its extensions."""
    told: Object = dict(error.formatted)
    original = error.original_error
    if isinstance(original, RefusedError):
        told["extensions"] = {"code": original.code}
    elif original is not None:
        raise original  # the sandbox itself broke: its server says so
    return told


def create_app(environment: Environment) -> ShopifySandbox:
    return ShopifySandbox(environment)
