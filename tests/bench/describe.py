"""Descriptions through kills: ``python -m tests.bench.describe [PICTURES [KILLS [SEED]]]``.

Web pages with pictures are ingested against an Ollama-protocol server on loopback; the ingest is killed with -9 at
random requests, then run to its end. Printed: pictures described, requests, those for a summary that was kept already
(must be 0), and repeated ones (at most kills times concurrent requests).
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from ingest.library import Library
from ingest.models import Ollama
from ingest.summarize import OllamaSummarizer, summary_key
from ingest.workers import REQUESTS
from tests.ollama_server import OllamaServer, Request, describes_image

ROOT = Path(__file__).resolve().parents[2]
A_PAGE = 20
"""Pictures of one web page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What it came to."""

    described: int
    requests: int
    asked_again_though_kept: int
    repeated: int
    kills: int
    concurrency: int


class Ward:
    """The server's script: describes, records what was asked for, and says when the ingest is to be killed."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.kill_at = 0
        self.reached = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> str:
        with self._lock:
            self.asked.append(f"images/{hashlib.sha256(request.images[0]).hexdigest()}.png")
            if self.kill_at and len(self.asked) >= self.kill_at:
                self.reached.set()
        return describes_image(request).text


def measure(folder: Path, *, pictures: int, kills: int, seed: int = 0) -> Outcome:
    """Ingest ``pictures`` in ``folder`` with ``kills`` kills on the way."""
    docs, chance, ward = folder / "docs", random.Random(seed), Ward()
    docs.mkdir()
    for number, start in enumerate(range(0, pictures, A_PAGE)):
        shown = range(start, min(pictures, start + A_PAGE))
        (docs / f"page{number}.html").write_text(_page(shown, title=f"Chapter {number}"))
    again = 0
    with OllamaServer(vision=ward) as server:
        moments = sorted(chance.sample(range(1, pictures), kills))
        for moment in [*moments, 0]:
            kept = _kept(folder / "lib", server)
            before = len(ward.asked)
            # What the last kill cost is asked for again: the moments count requests, not descriptions.
            ward.kill_at = moment and max(moment, before + 1)
            ward.reached.clear()
            _ingest(docs, folder / "lib", server, ward, chance)
            again += sum(path in kept for path in ward.asked[before:])
        described = len(_kept(folder / "lib", server))
    return Outcome(
        described=described,
        requests=len(ward.asked),
        asked_again_though_kept=again,
        repeated=sum(count - 1 for count in Counter(ward.asked).values()),
        kills=kills,
        concurrency=REQUESTS,
    )


def _ingest(docs: Path, library: Path, server: OllamaServer, ward: Ward, chance: random.Random) -> None:
    """One ingest, killed with all its workers when the script says so."""
    command = [sys.executable, "-c", "import cli; cli.main()", "ingest", str(docs), "-l", str(library), "--jobs", "1"]
    environment = {**os.environ, "OLLAMA_HOST": server.url, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True) as running:
        while running.poll() is None:
            if ward.reached.wait(0.05):
                time.sleep(chance.random() / 20)
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()
                return
    if running.returncode:
        raise RuntimeError(f"the ingest ended with {running.returncode}")


def _kept(folder: Path, server: OllamaServer) -> set[str]:
    """The pictures whose descriptions are committed."""
    if not folder.exists():
        return set()
    model = OllamaSummarizer(client=Ollama(host=server.url), model="llava", digest=server.models["llava:latest"])
    with Library(folder, create=True) as library:
        paths = [e.image_path for s in library.sources() for e in library.partition(s.id).elements if e.image_path]
        return {path for path in paths if library.summary(summary_key(model, path)) is not None}


def _page(numbers: range, *, title: str) -> str:
    shown = "".join(
        f'<p>Drawing {n}.</p><img src="data:image/png;base64,{base64.b64encode(_drawing(n)).decode()}">'
        for n in numbers
    )
    return f"<html><body><h1>{title}</h1><p>Drawings of the harbour, as they were handed in.</p>{shown}</body></html>"


def _drawing(number: int) -> bytes:
    image = Image.new("RGB", (120, 90), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((10, 10, 20 + number % 40, 60), fill=(200, 30, number % 256))
    pen.ellipse((60, 20, 110, 80), fill=(30, 90 + number // 2 % 160, 30))
    pen.line((5, 85, 115, 70), fill=(0, 0, 90), width=4)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def main(arguments: list[str]) -> None:
    """Measure and print."""
    pictures, kills, seed = [*map(int, arguments), *(200, 5, 0)[len(arguments) :]]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        found = measure(Path(folder), pictures=pictures, kills=kills, seed=seed)
    sys.stdout.write(
        f"described {found.described} of {pictures}, requests {found.requests}, for a kept summary"
        f" {found.asked_again_though_kept}, repeated {found.repeated} of {found.kills * found.concurrency} at most"
        f" ({found.kills} kills, {found.concurrency} at a time), seconds {time.perf_counter() - began:.0f}\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
