"""The engine of a Ray cluster: tasks go to the machines of the cluster, each with a worker pool of its own.

The only home of ``ray``. A machine that is lost costs no result: its tasks are pure, and are done again elsewhere. What
it gave is committed by the one writer, through the same code as on one machine.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from ingest.errors import LimitError, MissingExtraError, PinciteError, SourceError, UnavailableError, UsageError
from ingest.ray_node import NodeWorkers, Reply, hello, read_source, sources_in
from ingest.settings import REQUESTS
from ingest.types import Source
from ingest.workers import Requests

T = TypeVar("T")
log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
START_SECONDS = 60.0
"""Seconds in which a machine of the cluster must have its workers' place ready."""
CLOSE_SECONDS = 10.0
"""Seconds that machines have to end their workers."""
NODES_EVERY = 5.0
"""Seconds after which machines that joined are looked for."""
GONE_SECONDS = 30.0
"""Seconds that tasks wait for a machine when none is left."""
AHEAD = 2
"""Tasks on a machine for each of its workers, so that none waits for the next to come."""
ENDED = "what talks to the Ray cluster has ended"
LOSSES = 3
"""Machines that a task may cost before it is given up."""
BYTES_IN_FLIGHT = 2**30
"""Bytes of sources whose tasks are on machines at a time, at most, if it is more than one source."""
STORE_SHARE = 4
"""Of the smallest object store of a machine, a fourth holds sources in flight, and one those for the next tasks: the
rest is for results."""
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""What a client of HTTP/2 begins with (RFC 9113, 3.4): a fixed text, and settings without any value."""


@dataclass(slots=True, eq=False)
class _Task:
    function: Callable[..., Any]
    args: tuple[object, ...]
    seconds: float
    future: Future[Any]
    sources: dict[str, Source]
    must_send: bool = False
    losses: int = 0

    @property
    def size(self) -> int:
        return sum(source.size for source in self.sources.values())


@dataclass(slots=True, eq=False)
class _Node:
    """One machine: the actor on it, and what it does."""

    id: str
    actor: Any
    workers: int
    is_blind: bool = False
    running: set[_Task] = field(default_factory=set)

    @property
    def is_free(self) -> bool:
        return len(self.running) < AHEAD * self.workers


class RayEngine:
    """Runs tasks on a Ray cluster. One thread talks to the cluster; ``submit`` never waits."""

    def __init__(self, address: str | None = None, *, jobs: int = 0, requests: int = REQUESTS) -> None:
        """Join the cluster at ``address`` (``HOST:PORT``), or start one on this machine alone.

        ``jobs`` is the number of workers on each machine, by default one for each of its CPUs; ``requests`` tasks
        wait for model servers at a time.

        Raises:
            MissingExtraError: Ray is not installed.
            UsageError: nothing answers at the address, or machines there run another version.
        """
        self._ray = _connected(address)
        self._jobs = jobs
        self._nodes: dict[str, _Node] = {}
        self._left_out: set[str] = set()
        self._room = BYTES_IN_FLIGHT
        self._waiting: deque[_Task] = deque()
        self._unanswered: set[Future[Any]] = set()
        self._has_ended = False
        self._events: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._requests = Requests(requests)
        self._sent: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._looked = self._nodes_seen = time.monotonic()
        try:
            self._demand_nodes(self._look_for_nodes())
        except BaseException:
            self._ray.shutdown()
            raise
        self._thread = threading.Thread(target=self._work, name="pincite-ray", daemon=True)
        self._thread.start()

    def _demand_nodes(self, problems: list[str]) -> None:
        for problem in problems:
            raise UsageError(problem)
        if not self._nodes:
            raise UsageError("no machine of the Ray cluster has a CPU that is free")

    @property
    def count(self) -> int:
        """Workers of all machines."""
        return max(1, sum(node.workers for node in list(self._nodes.values())))

    def submit(self, function: Callable[..., T], *args: object, timeout: float, network: bool = False) -> Future[T]:
        """Have a task done on a machine of the cluster; one that needs the ``network`` waits for its reply here."""
        if network:
            return self._requests.submit(partial(function, *args))
        future: Future[T] = Future()
        task = _Task(function, args, timeout, future, {source.id: source for source in sources_in(args)})
        self._unanswered.add(future)
        future.add_done_callback(self._unanswered.discard)
        self._events.put(partial(self._waiting.append, task))
        if self._has_ended:
            self._answer_all()
        return future

    def close(self) -> None:
        """Give up what still runs and leave the cluster."""
        self._requests.cancel()
        self._events.put(None)
        self._thread.join()
        closing = [node.actor.close.remote() for node in self._nodes.values()]
        if closing:
            self._ray.wait(closing, num_returns=len(closing), timeout=CLOSE_SECONDS)
        self._ray.shutdown()

    # --- the thread that talks to the cluster -----------------------------------------------------

    def _work(self) -> None:
        try:
            while self._step():
                self._keep_nodes()
                self._send_waiting()
        finally:
            # Whoever waits for a task is told, whatever ended this thread and wherever the task then was.
            self._has_ended = True
            self._answer_all()

    def _step(self) -> bool:
        """Wait for an event and let it happen; whether there will be more."""
        with contextlib.suppress(Empty):
            event = self._events.get(timeout=1.0)
            if event is None:
                return False
            event()
        return True

    def _answer_all(self) -> None:
        """Tell all who wait that nothing comes any more; of two threads that do so at a time, one does."""
        for future in list(self._unanswered):
            with contextlib.suppress(InvalidStateError):
                future.set_exception(UnavailableError(ENDED))

    def _keep_nodes(self) -> None:
        """Take in machines that joined; when none is left for long, tell those who wait."""
        now = time.monotonic()
        if self._nodes:
            self._nodes_seen = now
        if now - self._looked >= (NODES_EVERY if self._nodes else 1.0):
            self._looked = now
            for problem in self._look_for_nodes():
                log.warning("%s; it is left out", problem)
        if not self._nodes and now - self._nodes_seen > GONE_SECONDS:
            while self._waiting:
                _end(self._waiting.popleft(), UnavailableError("no machine of the Ray cluster is left"))

    def _look_for_nodes(self) -> list[str]:
        """Start workers on machines that have none; why some of them cannot be used."""
        alive = [node for node in self._ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
        stores = [int(size) for node in alive if (size := node["Resources"].get("object_store_memory"))]
        self._room = min([BYTES_IN_FLIGHT, *(size // STORE_SHARE for size in stores)])
        found = {node["NodeID"]: int(node["Resources"]["CPU"]) for node in alive}
        new = found.keys() - self._nodes.keys() - self._left_out
        problems = []
        for node in [self._begin(id_, min(self._jobs or found[id_], found[id_])) for id_ in sorted(new)]:
            try:
                if self._greet(node):
                    self._nodes[node.id] = node
            except UsageError as exc:
                self._left_out.add(node.id)
                self._ray.kill(node.actor)
                problems.append(str(exc))
        return problems

    def _begin(self, node_id: str, workers: int) -> _Node:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        actor_class = self._ray.remote(NodeWorkers).options(
            num_cpus=workers,
            max_concurrency=AHEAD * workers + 1,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False),
        )
        return _Node(node_id, actor_class.remote(workers), workers)

    def _greet(self, node: _Node) -> bool:
        """Whether a machine is ready.

        Raises:
            UsageError: it runs another version, or has no pincite.
        """
        try:
            theirs = self._ray.get(node.actor.hello.remote(), timeout=START_SECONDS)
        except self._ray.exceptions.GetTimeoutError:
            log.warning("a machine of the Ray cluster has no free CPU; it is left out")
            self._ray.kill(node.actor)
            return False
        except self._ray.exceptions.RayActorError as exc:
            if "ModuleNotFoundError" in str(exc):
                raise UsageError("a machine of the Ray cluster has no pincite: install it on each of them") from exc
            log.warning("a machine of the Ray cluster was lost before it began")
            return False
        difference = hello().differs_from(theirs)
        if difference is not None:
            raise UsageError(
                f"a machine of the Ray cluster runs another version: {difference}; install the same on each machine"
            )
        return True

    def _send_waiting(self) -> None:
        while self._waiting:
            free = [node for node in self._nodes.values() if node.is_free]
            task = self._waiting[0]
            flying = sum(each.size for node in self._nodes.values() for each in node.running)
            if not free or (flying and flying + task.size > self._room):
                return
            self._waiting.popleft()
            self._send(task, min(free, key=lambda node: len(node.running) / node.workers))

    def _send(self, task: _Task, node: _Node) -> None:
        try:
            sent = [self._put(source) for source in task.sources.values()] if task.must_send or node.is_blind else []
            reference = node.actor.run.remote(task.function, task.args, task.seconds, *sent)
        except SourceError as exc:
            _end(task, exc)
            return
        except self._full_errors() as exc:
            _end(task, UnavailableError(_full(exc)))
            return
        node.running.add(task)
        reference.future().add_done_callback(lambda done: self._events.put(partial(self._take, task, node, done)))

    def _put(self, source: Source) -> Any:  # noqa: ANN401 (Ray is imported late)
        """A source's bytes in the object store, where they stay for its next tasks while there is room."""
        if source.id not in self._sent:
            self._sent[source.id] = self._ray.put(read_source(source)), source.size
        self._sent.move_to_end(source.id)
        reference, _ = self._sent[source.id]
        while len(self._sent) > 1 and sum(size for _, size in self._sent.values()) > self._room:
            self._sent.popitem(last=False)
        return reference

    def _take(self, task: _Task, node: _Node, done: Future[Reply]) -> None:
        """What came of a task: its result, the wish for its files, or the news that its machine is lost."""
        node.running.discard(task)
        error = done.exception()
        if isinstance(error, self._full_errors()):
            _end(task, UnavailableError(_full(error)))
            return
        if isinstance(error, self._ray.exceptions.RayTaskError):
            # Not by the task, whose errors are replies: its machine cannot keep what it was sent, say.
            _end(task, UnavailableError(f"its machine could not read it ({_last_line(error)})"))
            return
        if error is not None:
            self._lose(task, node, error)
            return
        reply = done.result()
        if reply.lacking and not task.must_send:
            node.is_blind = task.must_send = True
            self._waiting.appendleft(task)
        elif reply.lacking:
            _end(task, UnavailableError("is being written"))
        elif reply.error is not None:
            _end(task, reply.error)
        else:
            task.future.set_result(reply.result)

    def _full_errors(self) -> tuple[type[Exception], ...]:
        errors = self._ray.exceptions
        return errors.ObjectStoreFullError, errors.OutOfDiskError

    def _lose(self, task: _Task, node: _Node, error: BaseException) -> None:
        if self._nodes.pop(node.id, None) is not None:
            log.warning("a machine of the Ray cluster was lost; its tasks are done again elsewhere")
            with contextlib.suppress(Exception):  # it may be gone in many ways, and nothing of it is needed
                self._ray.kill(node.actor)
        task.losses += 1
        if task.losses >= LOSSES:
            _end(task, LimitError(f"its machine was lost {LOSSES} times ({type(error).__name__})"))
        else:
            self._waiting.appendleft(task)


def _end(task: _Task, error: PinciteError) -> None:
    task.future.set_exception(error)


def _full(error: BaseException) -> str:
    what = "the disk under Ray's object store" if type(error).__name__ == "OutOfDiskError" else "Ray's object store"
    return f"{what} is full: give it more room (`ray start --object-store-memory`), or use fewer --jobs"


def _last_line(error: BaseException) -> str:
    """What a machine's error says in the end, without its traceback."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]


def _connected(address: str | None) -> Any:  # noqa: ANN401 (Ray is imported late)
    """Ray, joined to a cluster.

    Raises:
        MissingExtraError: Ray is not installed.
        UsageError: nothing answers at the address, or it runs another version of Ray or Python.
    """
    # Read by Ray when it is imported and started: nothing is reported to its makers.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ModuleNotFoundError as exc:
        raise MissingExtraError("ray", "--engine ray") from exc
    if address is not None:
        _probe(address)
    dashboard = False if address is None else None
    try:
        ray.init(address or "local", include_dashboard=dashboard, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, TimeoutError) as exc:
        raise UsageError(f"no Ray cluster answers at {address}") from exc
    except ray.exceptions.AuthenticationError as exc:
        raise UsageError(
            f"the Ray cluster at {address} wants its token: copy ~/.ray/auth_token of its head to this machine,"
            " or set RAY_AUTH_TOKEN, and RAY_AUTH_MODE=token"
        ) from exc
    except RuntimeError as exc:
        raise UsageError(f"the Ray cluster {address or 'here'} cannot be joined: {' '.join(str(exc).split())}") from exc
    return ray


def _probe(address: str) -> None:
    """Make sure that something like Ray answers. Ray itself waits for minutes, and then ends the process.

    Raises:
        UsageError: nobody is there, or somebody else.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"--ray-address is HOST:PORT of the cluster's head, not {address!r}")
    try:
        with socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS) as connection:
            connection.sendall(_PREFACE)
            reply = connection.recv(9)
    except OSError as exc:
        raise UsageError(f"no Ray cluster answers at {address}: {exc.strerror or exc}") from exc
    # Settings, the fourth kind of frame, or the first byte of TLS saying that it wants to be spoken to in TLS.
    if not (reply[3:4] == b"\x04" or reply[:1] == b"\x15"):
        raise UsageError(f"no Ray cluster answers at {address}: something else does")
