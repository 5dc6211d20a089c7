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
from concurrent.futures import Future
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
LOSSES = 3
"""Machines that a task may cost before it is given up."""
BYTES_IN_FLIGHT = 2**30
"""Bytes of sources whose tasks are on machines at a time, at most, if it is more than one source."""
SENT_BYTES = 2**29
"""Bytes of sources that are kept in Ray's object store for their next tasks."""


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
        self._waiting: deque[_Task] = deque()
        self._events: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._requests = Requests(requests)
        self._sent: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._looked = self._nodes_seen = time.monotonic()
        try:
            self._look_for_nodes()
            self._demand_nodes()
        except BaseException:
            self._ray.shutdown()
            raise
        self._thread = threading.Thread(target=self._work, name="pincite-ray", daemon=True)
        self._thread.start()

    def _demand_nodes(self) -> None:
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
        self._events.put(partial(self._waiting.append, task))
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
        while True:
            with contextlib.suppress(Empty):
                event = self._events.get(timeout=1.0)
                if event is None:
                    return
                event()
            self._keep_nodes()
            self._send_waiting()

    def _keep_nodes(self) -> None:
        """Take in machines that joined; when none is left for long, tell those who wait."""
        now = time.monotonic()
        if self._nodes:
            self._nodes_seen = now
        if now - self._looked >= (NODES_EVERY if self._nodes else 1.0):
            self._looked = now
            self._look_for_nodes()
        if not self._nodes and now - self._nodes_seen > GONE_SECONDS:
            while self._waiting:
                _end(self._waiting.popleft(), UnavailableError("no machine of the Ray cluster is left"))

    def _look_for_nodes(self) -> None:
        """Start workers on machines that have none.

        Raises:
            UsageError: a machine runs another version of pincite.
        """
        found = {
            node["NodeID"]: int(node["Resources"].get("CPU", 0))
            for node in self._ray.nodes()
            if node["Alive"] and node["Resources"].get("CPU", 0) >= 1
        }
        begun = [
            self._begin(id_, min(self._jobs or cpus, cpus)) for id_, cpus in found.items() if id_ not in self._nodes
        ]
        for node in begun:
            if self._greet(node):
                self._nodes[node.id] = node

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
            raise UsageError(f"the Ray cluster runs another version: {difference}; install the same on each machine")
        return True

    def _send_waiting(self) -> None:
        while self._waiting:
            free = [node for node in self._nodes.values() if node.is_free]
            task = self._waiting[0]
            flying = sum(each.size for node in self._nodes.values() for each in node.running)
            if not free or (flying and flying + task.size > BYTES_IN_FLIGHT):
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
        except self._ray.exceptions.ObjectStoreFullError:
            _end(task, UnavailableError("Ray's object store is full; give it more memory, or use fewer --jobs"))
            return
        node.running.add(task)
        reference.future().add_done_callback(lambda done: self._events.put(partial(self._take, task, node, done)))

    def _put(self, source: Source) -> Any:  # noqa: ANN401 (Ray is imported late)
        """A source's bytes in the object store, where they stay for its next tasks while there is room."""
        if source.id not in self._sent:
            self._sent[source.id] = self._ray.put(read_source(source)), source.size
        self._sent.move_to_end(source.id)
        reference, _ = self._sent[source.id]
        while len(self._sent) > 1 and sum(size for _, size in self._sent.values()) > SENT_BYTES:
            self._sent.popitem(last=False)
        return reference

    def _take(self, task: _Task, node: _Node, done: Future[Reply]) -> None:
        """What came of a task: its result, the wish for its files, or the news that its machine is lost."""
        node.running.discard(task)
        error = done.exception()
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
        raise UsageError(f"the Ray cluster {address or 'here'} cannot be joined: {str(exc).splitlines()[0]}") from exc
    return ray


def _probe(address: str) -> None:
    """Ray itself waits for minutes for an address where nobody is."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"--ray-address is HOST:PORT of the cluster's head, not {address!r}")
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as exc:
        raise UsageError(f"no Ray cluster answers at {address}: {exc.strerror or exc}") from exc
