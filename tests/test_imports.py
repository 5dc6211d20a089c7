"""The shape of the code, read from its source: imports run one way, each library has one home."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(path for part in ("cli.py", "ingest/**/*.py", "retrievers/**/*.py") for path in ROOT.glob(part))
INNER = [path for path in FILES if ROOT / "ingest" in path.parents and path != ROOT / "ingest" / "__init__.py"]

ORDER = [
    "types", "errors", "settings", "urls", "models", "model_hosts", "fetch*", "remote", "render", "tables", "images",
    "strokes", "ocr", "partition", "discover", "partition.*", "surroundings", "summarize", "chunk*", "embed*", "rows",
    "library*", "crawl*", "vectors", "workers*", "remote_sources", "ray_*", "bundles", "reading", "enrich", "indexing",
    "pipeline*", "watch",
]  # fmt: skip
"""The modules of ``ingest`` in the order in which a document meets them. A module imports only what stands before it
or beside it in its family. ``partition`` alone is the seat and the list of formats, ``partition.*`` what fills it."""

HOMES = {
    "bson": ["retrievers/history_mongo.py"],
    "chromadb": ["ingest/vectors.py"],
    "click": ["cli.py", "retrievers/commands/*.py"],
    "docutils": ["ingest/partition/rst.py"],
    "aiohttp": ["ingest/remote.py"],
    "botocore": ["ingest/remote.py"],
    "fastapi": ["retrievers/api.py"],
    "fsspec": ["ingest/remote.py"],
    "gcsfs": ["ingest/remote.py"],
    "google": ["ingest/remote.py"],
    "httpcore": ["ingest/fetch*.py"],
    "langchain_core": ["retrievers/langchain.py"],
    "liteparse": ["ingest/partition/pdf*.py", "ingest/render.py"],
    "llama_cloud": ["ingest/partition/llamaparse.py"],
    "llama_index": ["retrievers/llama_index.py"],
    "mcp": ["retrievers/mcp_server.py"],
    "nh3": ["ingest/tables.py"],
    "ollama": ["ingest/models.py"],
    "pebble": ["ingest/workers.py"],
    "psutil": ["ingest/workers_watch.py"],
    "pyarrow": ["ingest/partition/parquet.py"],
    "pymupdf": ["ingest/ocr.py", "ingest/partition/pdf*.py", "ingest/render.py"],
    "pymongo": ["retrievers/history_mongo.py"],
    "pypdfium2": ["ingest/partition/pdf*.py"],
    "oxmsg": ["ingest/partition/mail_msg.py"],
    "protego": ["ingest/crawl_site.py"],
    "rapidocr": ["ingest/ocr.py"],
    "pydantic": ["retrievers/api.py", "retrievers/mcp_server.py"],
    "ray": ["ingest/ray_engine.py"],
    "rich": ["retrievers/commands/ingesting.py", "retrievers/printed.py"],
    "sqlite3": ["ingest/library*.py", "ingest/rows.py", "retrievers/history_sqlite.py"],
    "starlette": ["retrievers/api*.py"],
    "unstructured": ["ingest/partition/*.py"],
    "uvicorn": ["retrievers/api.py"],
    "watchfiles": ["ingest/watch.py"],
}
"""The only files that import a library."""

LAZY = {
    "PIL", "aiohttp", "botocore", "bson", "charset_normalizer", "chromadb", "docutils", "docx", "fsspec", "gcsfs",
    "google", "httpcore", "langchain_core", "liteparse",
    "llama_cloud", "llama_index", "lxml", "mcp", "nh3", "ollama", "onnxruntime", "oxmsg", "pandas", "protego",
    "pyarrow", "pymongo", "pymupdf", "pypdfium2", "rapidocr", "ray", "tokenizers", "unstructured", "watchfiles",
}  # fmt: skip
"""Libraries that are imported only inside the functions that use them."""


@dataclass(frozen=True)
class Import:
    """One imported module, and whether it runs when the importing module is imported."""

    name: str
    line: int
    eager: bool


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file; ``from ingest import embed`` counts as ``ingest.embed`` where that is a module."""
    tree = ast.parse(path.read_text("utf-8"))
    late = {id(node) for scope in ast.walk(tree) if _runs_late(scope) for node in ast.walk(scope)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            names = [_module_of(node.module or "", alias.name) for alias in node.names]
        else:
            continue
        yield from (Import(name, node.lineno, id(node) not in late) for name in names)


def _runs_late(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))


def _module_of(module: str, name: str) -> str:
    inner = ROOT.joinpath(*module.split("."), name)
    return f"{module}.{name}" if inner.is_dir() or inner.with_suffix(".py").exists() else module


def where(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def place(module: str) -> int:
    """The place of a module of ``ingest`` (named without ``ingest.``) in the order."""
    places = [index for index, pattern in enumerate(ORDER) if fnmatch(module, pattern)]
    assert places, f"ingest.{module} has no place in ORDER yet"
    return places[0]


@pytest.fixture(params=FILES, ids=where)
def file(request) -> Path:
    return request.param


def test_imports_run_from_cli_to_retrievers_to_ingest(file):
    allowed = {"cli.py": {"cli", "retrievers", "ingest"}, "retrievers/launch.py": {"cli"}}
    own = allowed.get(where(file), {"retrievers", "ingest"} if where(file).startswith("retrievers/") else {"ingest"})
    ours = {"cli", "ingest", "retrievers"}
    wrong = [i for i in imports(file) if (top := i.name.partition(".")[0]) in ours and top not in own]
    assert not wrong


@pytest.mark.parametrize("file", INNER, ids=where)
def test_inside_ingest_imports_run_in_the_order_of_the_data(file):
    module = ".".join(file.relative_to(ROOT / "ingest").with_suffix("").parts).removesuffix(".__init__")
    own_place = place(module)
    wrong = [
        i
        for i in imports(file)
        if i.name == "ingest" or (i.name.startswith("ingest.") and place(i.name.removeprefix("ingest.")) > own_place)
    ]
    assert not wrong


def test_each_library_is_imported_only_at_its_home(file):
    wrong = [
        i
        for i in imports(file)
        if (top := i.name.partition(".")[0]) in HOMES and not any(fnmatch(where(file), home) for home in HOMES[top])
    ]
    assert not wrong


def test_heavy_libraries_are_imported_inside_functions_only(file):
    assert not [i for i in imports(file) if i.eager and i.name.partition(".")[0] in LAZY]


def test_print_is_never_called(file):
    calls = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)]
    assert not [c.lineno for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"]


def test_the_environment_is_read_in_settings_alone(file):
    if where(file) == "ingest/settings.py":
        return
    tree = ast.parse(file.read_text("utf-8"))
    writes = {id(inner) for node in ast.walk(tree) if _writes_environ(node) for inner in ast.walk(node)}
    may_write = where(file) in WRITES_ENVIRONMENT
    wrong = [node.lineno for node in ast.walk(tree) if _names_environ(node) and not (may_write and id(node) in writes)]
    assert not wrong


def _names_environ(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(alias.name in ("environ", "getenv") for alias in node.names)
    return isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")


def _writes_environ(node: ast.AST) -> bool:
    """``os.environ[...] = ...``, ``os.environ |= ...`` or ``os.environ.update(...)`` as a statement."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.ctx, ast.Store)
    if isinstance(node, ast.AugAssign):
        return isinstance(node.op, ast.BitOr)
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _WRITERS


_WRITERS = ("setdefault", "update")
WRITES_ENVIRONMENT = {
    "ingest/__init__.py",
    "ingest/partition/bridge.py",
    "ingest/ray_engine.py",
    "ingest/workers_limits.py",
}
"""Files that say something to libraries, or to the processes that they start, by the environment."""


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import ingest, retrievers", {"chromadb", "llama_index", "numpy", "onnxruntime", "pandas", "pymupdf", "rich"}),
        ("import retrievers.launch", {"asyncio", "cli", "click", "ingest", "importlib.metadata"}),
    ],
)
def test_importing_the_packages_loads_no_heavy_library(code, unwanted):
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; sys.stdout.write(chr(10).join(sys.modules))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not unwanted & set(loaded.stdout.split())
