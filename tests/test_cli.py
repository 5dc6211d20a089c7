import io
import json
import os
import pty
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from ingest import pipeline
from ingest.library_schema import DATABASE
from tests.inline_pool import InlinePool

ROOT = Path(__file__).resolve().parents[1]
FERRY = "# Ferry\n\nThe ferry sails at noon.\n\n## Fares\n\nA crossing costs 9 euros.\n"
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PAGE = "<html><body><h1>Harbour</h1><p>The harbour master is Ada Quill.</p></body></html>"


def run(*args: object, env: dict[str, str] | None = None) -> Result:
    result = CliRunner().invoke(cli.main, [str(a) for a in args], env=env)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def command(*args: object) -> list[str]:
    return [sys.executable, "-m", "cli", *map(str, args)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def lines_of(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def inline(monkeypatch) -> InlinePool:
    pool = InlinePool()
    monkeypatch.setattr(pipeline, "WorkerPool", lambda count, **_: pool)
    return pool


# A folder with all that can be wrong with a file, ingested once by the real command.


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    import pymupdf

    folder = tmp_path_factory.mktemp("desk")
    docs = folder / "docs"
    docs.mkdir()
    (docs / "ferry.md").write_text(FERRY)
    (docs / "[x] caf\xe9.txt").write_text("The café opens at eight.\n")
    (docs / "harbour.pdf").write_text(PAGE)
    (docs / "text.pdf").write_text("Only a text.")
    (docs / "empty.md").write_bytes(b"")
    (docs / "broken.pdf").write_bytes(b"%PDF-1.7\nbroken\n")
    (docs / "unknown.xyz").write_text("unknown")
    with open(os.fsencode(docs) + b"/name\xff.md", "wb") as file:  # noqa: PTH123 (a name of bytes)
        file.write(b"# Pier\n\nThe pier is made of oak.\n")
    with pymupdf.open() as pdf:
        pdf.new_page().insert_text((72, 72), "Secret")
        pdf.save(docs / "secret.pdf", encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="o", user_pw="u")
    return folder


@pytest.fixture(scope="module")
def ingested(desk) -> subprocess.CompletedProcess:
    args = command("ingest", "docs", "none", "-l", "lib", "--json", "--jobs", "1")
    return subprocess.run(args, check=False, cwd=desk, env=environment(), capture_output=True, text=True)


@pytest.fixture
def library(desk, ingested) -> Path:
    return desk / "lib"


def test_ingest_goes_on_past_every_bad_file_and_exits_with_1(ingested):
    *results, summary = lines_of(ingested.stdout)
    assert {r["path"]: (r["state"], r["reason"]) for r in results} == {
        "none": ("failed", "no such file or folder"),
        "docs/ferry.md": ("ingested", None),
        "docs/[x] café.txt": ("ingested", None),
        "docs/name\\xff.md": ("ingested", None),
        "docs/harbour.pdf": ("ingested", None),
        "docs/text.pdf": ("failed", "not a PDF file despite its name"),
        "docs/empty.md": ("failed", "empty file (0 bytes)"),
        "docs/broken.pdf": ("failed", next(r["reason"] for r in results if r["path"] == "docs/broken.pdf")),
        "docs/secret.pdf": ("failed", "encrypted: give its password with --password, or in PINCITE_PASSWORD"),
        "docs/unknown.xyz": ("skipped", "not a type that is read (xyz)"),
    }
    counts = {"ingested": 4, "unchanged": 0, "partial": 0, "skipped": 1, "failed": 5, "removed": 0}
    assert {k: v for k, v in summary["summary"].items() if k in counts} == counts
    assert ingested.returncode == 1
    assert ingested.stderr == ""


def test_a_result_line_has_the_fields_that_scripts_rely_on(ingested):
    found = next(r for r in lines_of(ingested.stdout) if r.get("path") == "docs/ferry.md")
    assert found.keys() >= {"path", "state", "reason", "pages", "elements", "chunks", "warnings", "seconds"}
    assert (found["pages"], found["elements"]) == (None, {"Title": 2, "UncategorizedText": 2})


def test_a_broken_pdf_has_one_line_of_reason(ingested):
    (reason,) = [r["reason"] for r in lines_of(ingested.stdout) if r.get("path") == "docs/broken.pdf"]
    assert reason
    assert "\n" not in reason
    assert "Traceback" not in reason


def test_a_second_run_says_the_same_of_bad_files_and_unchanged_of_the_others(library, desk, monkeypatch, inline):
    monkeypatch.chdir(desk)
    result = run("ingest", "docs", "-l", library)
    lines = result.stdout.splitlines()
    assert "unchanged docs/ferry.md  2 chunks" in lines
    assert "failed    docs/empty.md  empty file (0 bytes)" in lines
    assert "skipped   docs/unknown.xyz  not a type that is read (xyz)" in lines
    assert lines[-1].startswith("4 unchanged, 1 skipped, 4 failed; 0 pages in ")
    assert (result.exit_code, result.stderr, inline.tasks) == (1, "", [])


def test_results_stay_on_stdout_while_a_terminal_shows_the_bar(library, desk):
    master, slave = pty.openpty()
    args = command("ingest", "docs", "-l", library)
    env = {**environment(), "TERM": "xterm-256color", "COLUMNS": "100"}
    with os.fdopen(master, "rb", buffering=0) as screen:
        done = subprocess.run(args, check=False, cwd=desk, env=env, stdout=subprocess.PIPE, stderr=slave, text=True)
        os.close(slave)
        shown = CONTROLS.sub("", screen.read(65536).decode())
    assert done.returncode == 1
    assert "unchanged docs/[x] café.txt  1 chunk" in done.stdout.splitlines()
    assert "/9 files, 0 pages" in shown
    assert "docs/ferry.md" not in shown
    assert "Traceback" not in shown


def read_all(screen: io.FileIO) -> bytes:
    """What a program wrote to its terminal until it closed it, which Linux tells by an error."""
    parts: list[bytes] = []
    with suppress(OSError):
        while part := screen.read(65536):
            parts.append(part)
    return b"".join(parts)


def test_a_terminal_shows_each_result_on_a_line_of_its_own_above_the_bar(library, desk):
    master, slave = pty.openpty()
    args = command("ingest", "docs", "-l", library)
    env = {**environment(), "TERM": "xterm-256color", "COLUMNS": "100"}
    started = subprocess.Popen(args, cwd=desk, env=env, stdout=slave, stderr=slave)
    with os.fdopen(master, "rb", buffering=0) as screen, started as process:
        os.close(slave)
        shown = CONTROLS.sub("", read_all(screen).decode())
    assert process.returncode == 1
    lines = [line.rpartition("\r")[2] for line in shown.split("\r\n")]
    assert "unchanged docs/[x] café.txt  1 chunk" in lines
    assert len([line for line in lines if line.startswith("unchanged")]) == 4


def test_an_interrupted_ingest_exits_with_130_and_keeps_what_is_done(tmp_path):
    (tmp_path / "docs").mkdir()
    for n in range(60):
        (tmp_path / f"docs/{n}.md").write_text(FERRY.replace("noon", f"{n} sharp"))
    args = command("ingest", "docs", "--json", "--jobs", "1")
    pipe = subprocess.PIPE
    with subprocess.Popen(args, cwd=tmp_path, env=environment(), stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 130
    assert said.decode() == "Interrupted; what was finished is kept, run the same command to go on.\n"
    status = json.loads(run("status", "--json", "-l", tmp_path / ".pincite").stdout)
    assert first["path"] in {s["path"] for s in status["sources"]}
    assert 1 <= status["totals"]["sources"] < 60


# Help and wrong use.


@pytest.mark.parametrize("name", ["", *cli.main.commands])
def test_every_help_has_an_example(name):
    result = run(*filter(None, [name]), "--help")
    assert result.exit_code == 0
    assert f"  pincite {name}".rstrip() in result.stdout


@pytest.mark.parametrize(
    "args",
    [
        ["ingest"],
        ["ingest", "docs", "--jobs", "0"],
        ["ingest", "docs", "--chunking", "by_moon"],
        ["search"],
        ["search", " "],
        ["ask", "why", "-k", "0"],
        ["search", "--questions", "none.jsonl", "--json"],
        ["partition"],
        ["show", "id"],
        ["no-such-command"],
    ],
)
def test_wrong_use_exits_with_2_and_says_so_on_stderr(library, args):
    result = run(*args, env={"PINCITE_LIBRARY": str(library)})
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: " in result.stderr


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"PINCITE_COLOUR": "red"}, "unknown setting PINCITE_COLOUR; known are "),
        ({"PINCITE_JOBS": "many"}, "PINCITE_JOBS must be a number, not 'many'"),
        ({"PINCITE_JOBS": "-1"}, "jobs must be 0 (one a core) or more"),
    ],
)
@pytest.mark.parametrize("args", [["status"], ["search", "x"], ["ingest", "docs"]])
def test_a_wrong_setting_exits_with_2(env, said, args):
    result = run(*args, env=env)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.parametrize(
    "args", [["status"], ["search", "x"], ["ask", "x"], ["remove", "x"], ["reindex"], ["show", "x", "-o", "x.png"]]
)
def test_no_library_exits_with_1_and_says_how_to_make_one(tmp_path, args):
    result = run(*args, "-l", tmp_path / "lib")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: no library at {tmp_path / 'lib'}; make one with `pincite ingest PATH`\n"


@pytest.mark.parametrize("args", [["status", "--json"], ["search", "x"], ["ingest", "docs"]])
def test_a_newer_library_exits_with_1_and_says_what_to_do(library, tmp_path, args):
    shutil.copytree(library, tmp_path / "lib")
    db = sqlite3.connect(tmp_path / "lib" / DATABASE)
    db.execute("PRAGMA user_version = 99")
    db.close()
    result = run(*args, "-l", tmp_path / "lib")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {tmp_path / 'lib'} was written by a newer pincite (schema 99")
    assert result.stderr.count("\n") == 1


def test_a_folder_of_other_files_is_not_made_a_library(tmp_path, inline):
    (tmp_path / "notes.md").write_text(FERRY)
    result = run("ingest", tmp_path / "notes.md", "-l", tmp_path)
    assert result.exit_code == 1
    assert result.stderr == f"Error: {tmp_path} holds other files and is no library; name a new or an empty folder\n"


def test_an_empty_folder_is_nothing_to_do(tmp_path, inline):
    (tmp_path / "docs").mkdir()
    result = run("ingest", tmp_path / "docs", "-l", tmp_path / "lib")
    assert result.exit_code == 0
    assert result.stdout.startswith("nothing to do; 0 pages in ")


def test_a_file_that_cannot_be_opened_is_one_failed_line(tmp_path, inline, monkeypatch):
    locked = tmp_path / "locked.md"
    locked.write_text(FERRY)
    (tmp_path / "open.md").write_text(FERRY)
    real = os.open

    def guarded(name, *rest, **named):
        if str(name) == str(locked):
            raise PermissionError(13, "Permission denied")
        return real(name, *rest, **named)

    monkeypatch.setattr(os, "open", guarded)
    result = run("ingest", locked, tmp_path / "open.md", "-l", tmp_path / "lib")
    assert result.exit_code == 1
    assert "failed    locked.md  cannot be read: permission denied" in result.stdout.splitlines()
    assert "ingested  open.md  2 chunks" in result.stdout.splitlines()


def test_control_characters_of_names_do_not_reach_the_terminal(tmp_path, inline):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a\x1b[31m\n.md").write_text(FERRY)
    result = run("ingest", tmp_path / "docs", "-l", tmp_path / "lib")
    assert "ingested  docs/a\\x1b[31m\\n.md  2 chunks" in result.stdout.splitlines()
    hits = run("search", "ferry", "-l", tmp_path / "lib")
    assert "\x1b" not in hits.stdout


# Reading.


def test_search_json_is_one_line_of_hits(library):
    result = run("search", "what does a crossing cost", "-l", library, "--json", "-k", "2")
    (found,) = lines_of(result.stdout)
    assert (result.exit_code, found["query"], len(found["results"])) == (0, "what does a crossing cost", 2)
    hit = found["results"][0]
    assert (hit["doc"], hit["path"], hit["kind"], hit["page"]) == ("ferry.md", "docs/ferry.md", "text", None)
    assert (hit["title_path"], hit["boxes"]) == (["Ferry", "Fares"], [])
    assert "9 euros" in hit["text"]


def test_search_is_limited_by_name_and_kind(library):
    everywhere = run("search", "pier of oak", "-l", library)
    assert " 1. name" in everywhere.stdout
    named = run("search", "pier of oak", "-l", library, "--doc", "ferry*")
    assert "name" not in named.stdout
    assert run("search", "pier", "-l", library, "--kind", "table").stdout == "nothing found\n"


def test_search_is_limited_by_path_and_heading(library):
    assert "ferry.md" not in run("search", "pier crossing", "-l", library, "--path", "*.txt").stdout
    assert "Fares" in run("search", "crossing", "-l", library, "--title", "fares").stdout
    year = datetime.now(UTC).year
    assert "ferry.md" in run("search", "crossing", "-l", library, "--date", f"{year - 1}..").stdout
    assert run("search", "crossing", "-l", library, "--date", f"..{year - 2}").stdout == "nothing found\n"
    wrong = run("search", "crossing", "-l", library, "--date", "soon")
    assert (wrong.exit_code, "is no date" in wrong.stderr) == (2, True)


def test_scores_of_a_search_are_likelihoods_unless_hits_are_not_read_again(library):
    def scores(*options: str) -> list[float]:
        (found,) = lines_of(run("search", "What does a crossing cost?", "-l", library, "--json", *options).stdout)
        return [hit["score"] for hit in found["results"]]

    read, unread = scores(), scores("--no-rerank")
    assert read != unread
    assert read == sorted(read, reverse=True)
    assert all(0 < score < 1 for score in read)


def test_own_questions_are_measured_and_two_results_compared(library, tmp_path):
    file = tmp_path / "own.jsonl"
    lines = [
        {"id": 1, "question": "What does a crossing cost?", "doc": "ferry.md"},
        {"id": 2, "question": "Who painted the Mona Lisa in Florence?", "answerable": False},
    ]
    file.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    result = run("eval", file, "-l", library, "--answers", "--json")
    (found,) = lines_of(result.stdout)
    assert (result.exit_code, found["means"]["hit@1"]["mean"], found["means"]["refused"]["mean"]) == (0, 1.0, 1.0)
    assert "hit@1       1.000" in run("eval", file, "-l", library).stdout
    kept = tmp_path / "a.json"
    kept.write_text(result.stdout, "utf-8")
    assert "mrr        +0.000  95 % interval" in run("eval", "--compare", kept, kept).stdout
    assert run("eval", "--compare", file, kept).exit_code == 2
    assert run("eval", "-l", library).exit_code == 2


def test_ask_answers_by_quotes_and_exits_with_3_when_nothing_is_found(library):
    result = run("ask", "What does a crossing cost?", "-l", library, "--model", "extractive")
    assert result.exit_code == 0
    assert "9 euros" in result.stdout
    assert "ferry.md" in result.stdout
    nothing = run("ask", "Who painted the Mona Lisa in Florence?", "-l", library, "--model", "extractive")
    assert nothing.exit_code == 3
    as_json = run("ask", "Who painted the Mona Lisa in Florence?", "-l", library, "--model", "extractive", "--json")
    assert as_json.exit_code == 0
    assert [a["found"] for a in lines_of(as_json.stdout)] == [False]


def test_many_questions_give_a_json_line_each(library, tmp_path):
    questions = [
        {"id": 1, "question": "When does the caf\u00e9 open?\u2028", "k": 1},
        {"id": "two", "question": "When does the café open?", "doc": "[x] café.txt"},
        {"id": None, "question": "pier", "doc": "ferry.md"},
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("\n\n".join(json.dumps(q, ensure_ascii=False) for q in questions) + "\n", "utf-8")
    result = run("search", "--questions", file, "--json", "-l", library)
    found = lines_of(result.stdout.replace("\u2028", ""))
    assert result.exit_code == 0
    assert [line["id"] for line in found] == [1, "two", None]
    assert len(found[0]["results"]) == 1
    assert {hit["doc"] for hit in found[1]["results"]} == {"[x] café.txt"}
    assert {hit["doc"] for hit in found[2]["results"]} == {"ferry.md"}
    assert all(line["seconds"] >= 0 for line in found)
    asked = run("ask", "--questions", file, "--json", "-l", library, "--model", "extractive")
    assert [a["id"] for a in lines_of(asked.stdout.replace("\u2028", ""))] == [1, "two", None]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no JSON", "line 2: not JSON"),
        ("[1]", 'line 2: needs {"id", "question"}'),
        ('{"id": 1}', 'line 2: needs {"id", "question"}'),
        ('{"question": "x"}', 'line 2: needs {"id", "question"}'),
        ('{"id": 1, "question": 5}', 'line 2: needs {"id", "question"}'),
        ('{"id": 1, "question": "x", "k": "many"}', 'line 2: "k" must be a number above 0'),
        ('{"id": 1, "question": "x", "k": 0}', 'line 2: "k" must be a number above 0'),
        ('{"id": 1, "question": "x", "doc": 5}', 'line 2: "doc" must be the name of a file'),
        ("\udcff", "is not UTF-8"),
    ],
)
def test_a_malformed_line_of_questions_exits_with_2_before_any_answer(library, tmp_path, line, said):
    file = tmp_path / "questions.jsonl"
    file.write_text('{"id": 1, "question": "pier"}\n' + line, "utf-8", "surrogateescape")
    result = run("search", "--questions", file, "--json", "-l", library)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_questions_need_json(library, tmp_path):
    (tmp_path / "q.jsonl").write_text('{"id": 1, "question": "pier"}')
    result = run("search", "--questions", tmp_path / "q.jsonl", "-l", library)
    assert (result.exit_code, "--questions needs --json" in result.stderr) == (2, True)


def test_status_names_every_source_and_the_totals(library, ingested):
    found = json.loads(run("status", "--json", "-l", library).stdout)
    results = {r["path"]: r["state"] for r in lines_of(ingested.stdout)[:-1] if r["path"] != "none"}
    assert {s["path"]: s["state"] for s in found["sources"]} == results
    assert found["totals"]["sources"] == 4
    assert found["totals"]["embedder"] == "wordllama"
    shown = run("status", "-l", library).stdout.splitlines()
    assert "ingested  docs/ferry.md  2 chunks" in shown
    assert shown[-1].startswith("4 sources, ")


# Writing.


def test_remove_and_reindex_change_the_library(library, tmp_path, inline, monkeypatch):
    shutil.copytree(library, tmp_path / "desk/lib")
    monkeypatch.chdir(tmp_path)
    opened = json.loads(run("status", "--json", "-l", "desk/lib").stdout)
    paths = {s["path"] for s in opened["sources"]}
    ferry = next(p for p in paths if p.endswith("ferry.md"))
    result = run("remove", ferry, "none.md", "-l", "desk/lib", "--json")
    assert result.exit_code == 1
    assert [(r["path"], r["state"]) for r in lines_of(result.stdout)] == [(ferry, "removed"), ("none.md", "failed")]
    assert "9 euros" not in run("search", "crossing", "-l", "desk/lib").stdout
    again = run("reindex", "-l", "desk/lib")
    assert (again.exit_code, again.stdout) == (0, "vectors rebuilt with wordllama (256 numbers)\n")
    wrong = run("reindex", "--embedder", "none", "-l", "desk/lib")
    assert (wrong.exit_code, "unknown embedder 'none'" in wrong.stderr) == (2, True)
    other = run("search", "pier", "-l", "desk/lib", env={"PINCITE_EMBEDDER": "minilm"})
    assert (other.exit_code, "pincite reindex" in other.stderr) == (1, True)


def test_show_says_what_cannot_be_shown(library, tmp_path):
    unknown = run("show", "unknown", "-o", tmp_path / "a.png", "-l", library)
    assert (unknown.exit_code, "has the id unknown" in unknown.stderr) == (2, True)
    hit = json.loads(run("search", "crossing", "--json", "-l", library).stdout)["results"][0]
    text = run("show", hit["chunk_id"], "-o", tmp_path / "a.png", "-l", library)
    assert (text.exit_code, "no pages to draw" in text.stderr) == (1, True)


# Partition.


def test_partition_prints_one_file(desk, inline):
    result = run("partition", desk / "docs/ferry.md")
    assert result.exit_code == 0
    assert result.stdout.startswith("# Ferry\n\nThe ferry sails at noon.")
    page = json.loads(run("partition", desk / "docs/ferry.md", "--format", "json").stdout)
    assert [e["category"] for e in page["elements"]] == ["Title", "UncategorizedText"] * 2
    assert page["elements"][0].keys() >= {"element_id", "text", "page_number", "boxes", "parent_id", "cells"}
    assert "<h1>" in run("partition", desk / "docs/ferry.md", "--format", "html").stdout


def test_partition_writes_a_file_or_into_a_folder(desk, inline, tmp_path):
    assert run("partition", desk / "docs/ferry.md", "-o", tmp_path / "new/out.md").exit_code == 0
    assert (tmp_path / "new/out.md").read_text().startswith("# Ferry")
    assert run("partition", desk / "docs/ferry.md", "-o", tmp_path).exit_code == 0
    assert (tmp_path / "ferry.md").read_text() == (tmp_path / "new/out.md").read_text()


def test_partition_of_many_names_equal_stems_by_their_whole_names(inline, tmp_path):
    for name in ("a.md", "a.txt", "b.md", "sub/b.md", "c.md"):
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"From {name}.\n")
    result = run("partition", tmp_path / "docs", "-o", tmp_path / "out")
    assert (result.exit_code, result.output) == (0, "")
    written = {p.name: p.read_text().strip() for p in (tmp_path / "out").iterdir()}
    assert written == {
        "a.md.md": "From a.md.",
        "a.txt.md": "From a.txt.",
        "b.md.md": "From b.md.",
        "b.md-2.md": "From sub/b.md.",
        "c.md": "From c.md.",
    }


def test_partition_goes_on_past_bad_files(desk, inline, tmp_path):
    result = run("partition", desk / "docs", tmp_path / "none.md", "-o", tmp_path / "out")
    said = result.stderr.splitlines()
    assert result.exit_code == 1
    assert f"Error: {tmp_path / 'none.md'}: cannot be read: No such file or directory" in said
    assert f"Error: {desk / 'docs/empty.md'}: empty file (0 bytes)" in said
    assert f"Skipped: {desk / 'docs/unknown.xyz'}: not a type that is read (xyz)" in said
    assert len(said) == 6
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_partition_says_what_was_not_read(inline, tmp_path, samples):
    result = run("partition", samples / "scan.pdf", "-o", tmp_path / "scan.md")
    path = samples / "scan.pdf"
    assert [line for line in result.stderr.splitlines() if "OCR used" in line] == [
        f"Warning: {path}: page {n}: no text layer, OCR used" for n in (1, 2)
    ]


def test_partition_of_many_needs_a_folder(desk, inline, tmp_path):
    result = run("partition", desk / "docs")
    assert (result.exit_code, "many files need a folder to write to: -o OUT" in result.stderr) == (2, True)
    (tmp_path / "empty").mkdir()
    nothing = run("partition", tmp_path / "empty")
    assert (nothing.exit_code, nothing.stderr) == (1, "Error: no files there\n")


def test_an_output_that_cannot_be_written_is_one_line(desk, inline, tmp_path):
    (tmp_path / "file").write_text("")
    result = run("partition", desk / "docs/ferry.md", "-o", tmp_path / "file/out.md")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {tmp_path / 'file'}")
    assert result.stderr.count("\n") == 1
