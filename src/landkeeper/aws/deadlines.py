"""Until when work may call AWS, and what becomes of work that is late.

botocore bounds a single wait for bytes, and how often a request is tried. Neither bounds a call: an answer that comes
byte by byte never waits long, and pages may follow each other without end. So work has a deadline. No request begins
after it, each request waits for at most half of the time left, and whoever waits for the work stops waiting then.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from botocore.exceptions import BotoCoreError

from landkeeper.org import Failure, FailureReason

if TYPE_CHECKING:
    import botocore.session

LATE = "DeadlineExceeded"
"""The code of the Failure of work that is late."""
THREAD_NAME = "within-deadline"
"""What the threads are called that do such work."""
_LOOK_EVERY_SECONDS = 0.5
_LEAST_TIMEOUT_SECONDS = 0.5

Clock = Callable[[], float]
"""Counts seconds."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class DeadlineExceededError(BotoCoreError):
    """A request was not sent, for its deadline was over."""

    fmt = "the time for it was over before it was sent"


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of a clock."""

    ends_at: float
    clock: Clock = time.monotonic

    def seconds_left(self) -> float:
        """How long it is until then; 0 where it is over."""
        return max(0.0, self.ends_at - self.clock())

    def is_over(self) -> bool:
        """Whether nothing may begin any more."""
        return self.seconds_left() <= 0


_current: ContextVar[Deadline | None] = ContextVar("landkeeper_deadline", default=None)


def deadline_after(seconds: float, *, part: float = 1.0, clock: Clock = time.monotonic) -> Deadline:
    """The deadline in so many seconds, and within at most a `part` of the time that is left where one holds already.

    It is of the clock of that one then.
    """
    outer = _current.get()
    if outer is None:
        return Deadline(clock() + seconds, clock)
    now = outer.clock()
    return Deadline(now + min(seconds, part * max(0.0, outer.ends_at - now)), outer.clock)


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """While this lasts, no request of this thread begins after the deadline."""
    token = _current.set(deadline)
    try:
        yield
    finally:
        _current.reset(token)


def keep_deadlines(session: botocore.session.Session) -> None:
    """Have the clients that the session makes from now on keep to the deadline of the thread that calls."""
    session.register("before-send", _begin_request, unique_id="landkeeper-deadlines")


def _begin_request(**event: Any) -> None:
    deadline = _current.get()
    if deadline is None:
        return
    if deadline.is_over():
        raise DeadlineExceededError
    # Half, so that there is time to try again. botocore before 1.43 has no context here, and waits as it is configured.
    context = getattr(event["request"], "context", None)
    if context is not None:
        timeout = max(_LEAST_TIMEOUT_SECONDS, deadline.seconds_left() / 2)
        context["read_timeout"] = min(context["client_config"].read_timeout, timeout)


@dataclass(slots=True)
class _Work(Generic[Item, Answer]):
    """Items that several threads take from, and what came of them."""

    work: Callable[[Item], Answer]
    waiting: list[Item]
    """The next one last."""
    deadline: Deadline
    part: float
    answers: dict[Item, Answer | Failure] = field(default_factory=dict)
    begun: dict[Item, tuple[Deadline, float]] = field(default_factory=dict)
    """The items under way, each with its own deadline, and how many seconds that left it."""
    error: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    running: int = 0
    """Threads that are not late."""

    def start(self) -> None:
        """Have one more thread take items."""
        self.running += 1
        threading.Thread(target=copy_context().run, args=(self._take_all,), name=THREAD_NAME, daemon=True).start()

    def _take_all(self) -> None:
        with within(self.deadline):
            while (item := self._next()) is not None:
                if not self._do(*item):
                    return
        with self.lock:
            self.running -= 1
            if not self.running:
                self.done.set()

    def _next(self) -> tuple[Item, Deadline] | None:
        with self.lock:
            if not self.waiting or self.error is not None or self.deadline.is_over():
                return None
            item, own = self.waiting.pop(), deadline_after(math.inf, part=self.part)
            self.begun[item] = own, own.seconds_left()
            return item, own

    def _do(self, item: Item, own: Deadline) -> bool:
        """Whether it was done before it was late: else another thread has taken the place of this one."""
        error: BaseException | None = None
        try:
            with within(own):
                answer = self.work(item)
        except BaseException as raised:  # noqa: BLE001 - raised again by whoever waits
            error = raised
        with self.lock:
            if self.begun.pop(item, None) is None:
                return False
            if error is None:
                self.answers[item] = answer
            else:
                self.error = self.error or error
                self.done.set()
            return True

    def replace_late(self) -> None:
        """Give up items whose own deadline is over, and start another thread in the place of each."""
        with self.lock:
            for item, (own, seconds) in list(self.begun.items()):
                if own.is_over():
                    del self.begun[item]
                    self.answers[item] = _late(seconds)
                    self.running -= 1
                    self.start()


def _late(seconds: float) -> Failure:
    return Failure(FailureReason.TIMED_OUT, LATE, f"not done within {seconds:.0f} seconds")


def do_each_within(
    deadline: Deadline, work: Callable[[Item], Answer], items: Sequence[Item], *, at_once: int = 1, part: float = 1.0
) -> Mapping[Item, Answer | Failure]:
    """What `work` answers for each item, so many at once; a Failure for those that are not done by the deadline.

    An item may take `part` of the time that is left when it is begun. Raises what `work` raises. Late work is left to
    itself: a thread cannot be ended from outside, but none of its requests begins after the deadline, and it keeps no
    process from ending.
    """
    if not items:
        return {}
    shared, seconds = _Work(work, [*reversed(items)], deadline, part), deadline.seconds_left()
    with shared.lock:
        for _ in range(min(at_once, len(items))):
            shared.start()
    while not shared.done.wait(min(deadline.seconds_left(), _LOOK_EVERY_SECONDS)) and not deadline.is_over():
        shared.replace_late()
    with shared.lock:
        if shared.error is not None:
            raise shared.error
        return {item: shared.answers.get(item, _late(seconds)) for item in items}


def do_within(deadline: Deadline, work: Callable[[], Answer]) -> Answer | Failure:
    """What `work` answers; a Failure where it is not done by the deadline. See `do_each_within`."""
    return do_each_within(deadline, lambda _: work(), [None])[None]
