"""Until when work may call AWS, and what becomes of work that is late.

botocore bounds a single wait for bytes, and how often a request is tried. Neither bounds a call: an answer that comes
byte by byte never waits long, and pages may follow each other without end. So work has a deadline. No request begins
after it, each request waits for at most half of the time left, and whoever waits for the work stops waiting then.
"""

from __future__ import annotations

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

    def wait_for(self, done: threading.Event) -> bool:
        """Wait until it is done, or the deadline is over; whether it is done."""
        while not done.wait(min(self.seconds_left(), _LOOK_EVERY_SECONDS)):
            if self.is_over():
                return done.is_set()
        return True


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
    answers: dict[Item, Answer] = field(default_factory=dict)
    error: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    running: int = 0

    def take_all(self, deadline: Deadline) -> None:
        with within(deadline):
            while (item := self._next(deadline)) is not None:
                self._do(item[0])
        with self.lock:
            self.running -= 1
            if not self.running:
                self.done.set()

    def _next(self, deadline: Deadline) -> tuple[Item] | None:
        with self.lock:
            is_over = not self.waiting or self.error is not None or deadline.is_over()
            return None if is_over else (self.waiting.pop(),)

    def _do(self, item: Item) -> None:
        try:
            answer = self.work(item)
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            with self.lock:
                self.error = self.error or error
            self.done.set()
        else:
            with self.lock:
                self.answers[item] = answer


def do_each_within(
    deadline: Deadline, work: Callable[[Item], Answer], items: Sequence[Item], *, at_once: int = 1
) -> Mapping[Item, Answer | Failure]:
    """What `work` answers for each item, so many at once; a Failure for those that are not done by the deadline.

    Raises what `work` raises. Late work is left to itself: a thread cannot be ended from outside, but none of its
    requests begins after the deadline, and it keeps no process from ending.
    """
    seconds = deadline.seconds_left()
    shared = _Work(work, [*reversed(items)], running=min(at_once, len(items)))
    if not shared.running:
        return {}
    for _ in range(shared.running):
        context = copy_context()
        threading.Thread(target=context.run, args=(shared.take_all, deadline), name=THREAD_NAME, daemon=True).start()
    deadline.wait_for(shared.done)
    with shared.lock:
        if shared.error is not None:
            raise shared.error
        late = Failure(FailureReason.TIMED_OUT, LATE, f"not done within {seconds:.0f} seconds")
        return {item: shared.answers.get(item, late) for item in items}


def do_within(deadline: Deadline, work: Callable[[], Answer]) -> Answer | Failure:
    """What `work` answers; a Failure where it is not done by the deadline. See `do_each_within`."""
    return do_each_within(deadline, lambda _: work(), [None])[None]
