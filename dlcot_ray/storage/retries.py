"""The retry policy of reads and writes: exponential pauses with jitter; a refusal is never repeated.

The S3 client repeats single requests by itself (`s3_requests.py`). Everything that is repeated around it goes
through this module, so that one place decides what is tried again and how long the pauses are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
    wait_none,
    wait_random_exponential,
)
from tenacity.wait import wait_base

from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.storage.failures import is_refused

FIRST_PAUSE_S = 0.2
"""Upper limit of the first pause (seconds); it doubles with every further one."""

NO_PAUSE: wait_base = wait_none()
FULL_JITTER: wait_base = wait_random_exponential(multiplier=FIRST_PAUSE_S)
"""Between zero and the limit: for one request of many that would otherwise come back together."""
HALF_JITTER: wait_base = wait_exponential(multiplier=FIRST_PAUSE_S / 2) + wait_random_exponential(
    multiplier=FIRST_PAUSE_S / 2
)
"""Between half the limit and the limit: for a unit, around the retries of its requests."""

Result = TypeVar("Result")


def is_transient(error: BaseException) -> bool:
    """Whether another attempt may succeed after this error of a read or a write."""
    return isinstance(error, OSError | JobError | InputFault) and not is_refused(error)


def retrying(
    retries: int,
    *,
    repeat_if: Callable[[BaseException], bool] = is_transient,
    pause: wait_base = HALF_JITTER,
) -> Retrying:
    """A tenacity controller: call it with an action, or loop over its attempts.

    Args:
        retries: further attempts after the first one.
        repeat_if: which errors are followed by another attempt; all others are raised at once.
        pause: the time between two attempts.

    Raises:
        Exception: from the action or the loop, the error of the last attempt.
    """
    return Retrying(
        stop=stop_after_attempt(retries + 1), wait=pause, retry=retry_if_exception(repeat_if), reraise=True
    )


def with_retries(retries: int, action: Callable[[], Result]) -> Result:
    """The result of `action`, with up to `retries` further attempts after a transient error."""
    return retrying(retries)(action)
