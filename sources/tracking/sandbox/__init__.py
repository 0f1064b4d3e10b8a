"""Tracking services as the sandbox answers for them, from the sheet and the vendor's schema.

Belongs here: who asks, which vendor answers, failing answers. The connector is not known here, on
purpose: both read the sheet, and a misunderstanding of one shows.

One server answers for all accounts; the key picks the account, the account its vendor.
"""

from __future__ import annotations

from dataclasses import replace

from sources._sandbox.api_faults import SLOW_ANSWER_S, ApiFaults, source_faults
from sources._sandbox.scenario import Account
from sources._sandbox.server import Environment, Request, Response

from .aftership import Aftership
from .answers import SECRET, Budget, RefusedError, Shown, naive
from .seventeentrack import Seventeentrack
from .snapshot import Services

Vendor = Seventeentrack | Aftership


class TrackingSandbox:
    """The tracking services of a scenario."""

    def __init__(self, environment: Environment) -> None:
        scenario, self._clock = environment.scenario, environment.clock
        self._source_faults = source_faults("tracking", scenario.faults)
        self._faults = ApiFaults(scenario.seed, scenario.api.shares)
        self._shown = Shown(self._faults, self._source_faults, environment)
        self._budget = Budget(self._clock, scenario.api.throttle == "realistic")
        self._services = Services(
            environment.world, with_personal_data=environment.with_personal_data
        )
        self._vendors = [self._vendor(a) for a in scenario.accounts if a.connector == "tracking"]

    def _vendor(self, account: Account) -> Vendor:
        given = (account.name, self._shown, self._budget, self._services)
        if (account.provider or "seventeentrack") == "seventeentrack":
            return Seventeentrack(*given)
        return Aftership(*given, self._clock)

    def handle(self, request: Request) -> Response:
        if self._source_faults.is_refusing(self._clock):
            return Response(503, is_dropped=True)
        try:
            for vendor in self._vendors:
                if vendor.key_of(request) == SECRET + vendor.account:
                    return self._troubled(vendor, request)
            is_aftership = request.path.startswith("/tracking/")
            raise (Aftership if is_aftership else Seventeentrack).stranger()
        except RefusedError as refusal:
            return refusal.response

    def _troubled(self, vendor: Vendor, request: Request) -> Response:
        if self._source_faults.is_out(self._clock, vendor.account):
            raise vendor.down()
        fault = self._faults.next_fault(f"{vendor.account} {request.path} {request.content}")
        if fault == "http_503":
            raise vendor.down()
        if fault == "http_429":
            raise vendor.too_many()
        response = vendor.answer(request, naive(self._clock.now()))
        if fault == "truncated" and response.body:
            return replace(response, is_truncated=True)
        return replace(response, delay_s=SLOW_ANSWER_S) if fault == "slow" else response


def create_app(environment: Environment) -> TrackingSandbox:
    return TrackingSandbox(environment)
