"""The token bucket, under a clock that costs nothing."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from sources._core.clock import HurriedClock, ManualClock
from sources._core.limits import Limits, Rate, TokenBucket


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


def test_a_burst_passes_at_once_and_then_the_rate_holds(clock: ManualClock) -> None:
    bucket = TokenBucket(Rate(0.5, burst=3), clock)
    assert [bucket.acquire() for _ in range(5)] == [0, 0, 0, 2, 2]


def test_waiting_refills_up_to_the_burst_only(clock: ManualClock) -> None:
    bucket = TokenBucket(Rate(1, burst=2), clock)
    clock.sleep(1_000)
    assert [bucket.acquire() for _ in range(3)] == [0, 0, 1]


def test_the_rate_adapts_to_what_an_answer_tells(clock: ManualClock) -> None:
    bucket = TokenBucket(Rate(1, burst=1), clock)
    bucket.acquire()
    bucket.adapt(0.0056)
    assert bucket.acquire() == pytest.approx(178.57, abs=0.01)
    bucket.adapt(10)
    assert bucket.acquire() == pytest.approx(0.1)


@pytest.mark.parametrize("nonsense", [0.0, -1.0, float("nan")])
def test_a_rate_that_makes_no_sense_is_ignored(clock: ManualClock, nonsense: float) -> None:
    bucket = TokenBucket(Rate(2, burst=1), clock)
    bucket.adapt(nonsense)
    assert bucket.rate == Rate(2, 1)


def test_after_a_refusal_nobody_passes_for_the_wait(clock: ManualClock) -> None:
    bucket = TokenBucket(Rate(1, burst=10), clock)
    bucket.pause(30)
    assert bucket.acquire() == 30
    assert bucket.acquire() == 0


def test_a_cost_bucket_follows_what_the_source_says_is_left(clock: ManualClock) -> None:
    bucket = TokenBucket(Rate(50, burst=1_000), clock)
    bucket.set_available(10)
    assert bucket.acquire(cost=60) == pytest.approx(1.0)


def test_threads_together_keep_the_rate(clock: ManualClock) -> None:
    bucket = TokenBucket(Rate(2, burst=1), clock)
    threads = [
        threading.Thread(target=lambda: [bucket.acquire() for _ in range(25)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.elapsed >= (200 - 1) / 2


def test_operations_of_an_account_have_buckets_of_their_own(clock: ManualClock) -> None:
    limits = Limits(clock, {"orders": Rate(1, 1)}, default=Rate(5, 5))
    assert limits.bucket("orders") is limits.bucket("orders")
    assert limits.bucket("orders") is not limits.bucket("reports")
    reports = limits.bucket("reports")
    assert reports is not None and reports.rate == Rate(5, 5)
    assert Limits(clock).bucket("orders") is None


@pytest.mark.parametrize(("per_second", "burst"), [(0, 1), (-1, 1), (1, 0.5)])
def test_a_rate_must_let_something_pass(per_second: float, burst: float) -> None:
    with pytest.raises(ValueError, match="per_second"):
        Rate(per_second, burst)


def test_a_simulated_source_is_waited_for_in_a_fraction_of_the_time(clock: ManualClock) -> None:
    hurried = HurriedClock(clock, 100)
    bucket = TokenBucket(Rate(0.0056, burst=1), hurried)
    bucket.acquire()
    assert bucket.acquire() == pytest.approx(178.57, abs=0.01)
    assert clock.elapsed == pytest.approx(1.7857, abs=0.0001)
    assert bucket.acquire() == pytest.approx(178.57, abs=0.01)
    assert hurried.now() == clock.now()
