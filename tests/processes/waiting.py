"""Waits for what other processes do by themselves."""

import time

SECONDS_MAX = 20
PAUSE_SECONDS = 0.05  # until the next look


def wait_for(condition, what, seconds=SECONDS_MAX):
    """The first true result of `condition`; fails after the deadline, saying `what`, which may be a function,
    was waited for. A connection that fails means: not yet."""
    deadline = time.monotonic() + seconds
    while True:
        problem = ""
        try:
            result = condition()
            if result:
                return result
        except (ConnectionError, TimeoutError) as error:
            problem = f": {error}"
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}{problem}")
        time.sleep(PAUSE_SECONDS)
