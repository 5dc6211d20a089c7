"""How long a crawl waits between its requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 30.0
"""A site that asks for longer pauses than this gets this one."""


@dataclass(slots=True)
class Pace:
    """Waits between the requests to a host: the pause that is set or asked for, and as long as the last answer took."""

    delay: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    last: dict[str, float] = field(default_factory=dict)
    answer: float = 0.0

    def wait(self, host: str) -> None:
        """Wait until the next request to a host may go out."""
        if host in self.last:
            left = self.last[host] + max(self.delay, min(self.answer, MAX_DELAY_SECONDS)) - self.clock()
            if left > 0:
                self.sleep(left)
        self.last[host] = self.clock()

    def slow_down(self) -> None:
        """Make longer pauses from now on: the site says that it has too much to do."""
        self.delay = min(2 * max(self.delay, DELAY_SECONDS), MAX_DELAY_SECONDS)
