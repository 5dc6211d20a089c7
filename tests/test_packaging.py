"""What pip makes of the project: the sdist, the wheel built from it, and the installed command."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (".ci", "ingest", "retrievers", "samples", "tests")
FILES = ("cli.py", "pyproject.toml", "README.md", "LICENSE", "THIRD_PARTY.md", "CHANGELOG.md", "CONTRIBUTING.md")
pytestmark = pytest.mark.xdist_group("packaging")


def run(*command: str | Path, cwd: Path, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command that does not see this checkout."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONWARNINGS")} | env
    done = subprocess.run([str(c) for c in command], cwd=cwd, env=kept, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def files_in(*folders: Path) -> set[str]:
    """The files in some folders, named from the folders' parent."""
    found = (path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(ROOT).as_posix() for path in found}


@dataclass(frozen=True)
class Environment:
    """A virtual environment that borrows the libraries of the running one."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def command(self) -> Path:
        return self.folder / "bin" / "pincite"

    def pip(self, *arguments: str | Path) -> None:
        run(sys.executable, "-m", "pip", "--python", self.python, *arguments, cwd=self.folder)

    def install(self, wheel: Path) -> None:
        self.pip("install", "--no-deps", "--no-index", "--no-compile", wheel)

    def pincite(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return run(self.python, self.command, *arguments, cwd=self.folder, check=False, **env)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the sdist and the wheel that is built from it, made from a copy as building leaves files behind."""
    copy, out = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("built")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, copy / name)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, copy, cwd=copy)
    return out


@pytest.fixture(scope="module")
def wheel(built) -> Path:
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Environment:
    """The installed project; not to be changed."""
    made = Environment(tmp_path_factory.mktemp("environment"))
    venv.create(made.folder, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(made.folder)}))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    made.install(wheel)
    return made


@pytest.fixture
def environment(installed, tmp_path) -> Environment:
    """A copy of the installed project, to be changed."""
    return Environment(shutil.copytree(installed.folder, tmp_path / "environment", symlinks=True))


@pytest.fixture
def foreign(tmp_path):
    """Makes a tiny wheel of a distribution ``otherkit`` that ships these files."""

    def make(files: Iterable[str]) -> Path:
        info = "otherkit-1.0.dist-info"
        texts = dict.fromkeys(files, "raise SystemExit(3)\n")
        texts[f"{info}/METADATA"] = "Metadata-Version: 2.1\nName: otherkit\nVersion: 1.0\n"
        texts[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        texts[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in (*texts, f"{info}/RECORD"))
        path = tmp_path / "otherkit-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
        return path

    return make


def test_the_wheel_holds_the_packages_and_the_command_line_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == files_in(ROOT / "ingest", ROOT / "retrievers") | {"cli.py"}
    assert names >= {"ingest/py.typed", "retrievers/py.typed"}


def test_the_wheel_carries_the_licences(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name).name for name in archive.namelist()}
    assert names >= {"LICENSE", "THIRD_PARTY.md"}


def test_each_required_package_has_its_licence_named():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    required = {re.split(r"[\[<>=!~ ;]", line)[0] for line in project["dependencies"]}
    named = set(re.findall(r"^\| ([a-z0-9-]+) \|", (ROOT / "THIRD_PARTY.md").read_text("utf-8"), re.MULTILINE))
    assert required <= named


def test_the_sdist_carries_tests_and_samples(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= files_in(ROOT / "tests", ROOT / "samples")


def test_the_installed_command_answers_help_and_version(installed):
    shown = installed.pincite("--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert {"ingest", "ask"} <= set(shown.stdout.split())
    assert "0.1.0" in installed.pincite("--version").stdout


def test_help_imports_click_and_little_else(installed):
    shown = run(installed.python, "-X", "importtime", installed.command, "--help", cwd=installed.folder)
    loaded = {line.rpartition("|")[2].strip() for line in shown.stderr.splitlines()}
    assert "click" in loaded
    unwanted = {
        "chromadb",
        "httpx",
        "importlib.metadata",
        "lxml",
        "numpy",
        "ollama",
        "onnxruntime",
        "pandas",
        "pymupdf",
    }
    assert not loaded & unwanted


@pytest.mark.parametrize("files", [["cli.py", "ingest/__init__.py"], ["ingest/__init__.py"]])
def test_a_distribution_that_overwrote_modules_is_named_with_the_way_out(environment, foreign, files):
    environment.install(foreign(files))
    said = environment.pincite("--help")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.count("\n") == 1
    assert "'otherkit'" in said.stderr
    assert "pip uninstall otherkit" in said.stderr
    assert files[0] in said.stderr


def test_a_module_that_left_with_the_other_distribution_is_called_missing(environment):
    next(environment.folder.rglob("site-packages/cli.py")).unlink()
    said = environment.pincite("--help")
    assert (said.returncode, said.stdout) == (1, "")
    assert "'cli' is missing" in said.stderr
    assert "pip install --force-reinstall --no-deps pincite" in said.stderr


@pytest.mark.parametrize("name", ["cli.py", "ingest/__init__.py"])
def test_a_loose_module_earlier_on_the_path_is_named(installed, tmp_path, name):
    loose = tmp_path / name
    loose.parent.mkdir(exist_ok=True)
    loose.write_text("raise SystemExit(3)\n")
    said = installed.pincite("--help", PYTHONPATH=str(tmp_path))
    assert (said.returncode, said.stdout) == (1, "")
    assert str(loose) in said.stderr


def test_the_installed_server_shows_its_page_from_the_package(installed, tmp_path):
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [installed.python, installed.command, "serve", "--port", "0", "-l", tmp_path / "lib"]
    with subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            found = re.search(r"http://\S+\d", server.stderr.readline())
            assert found is not None
            page = httpx.get(found[0]).text
            assert "<title>pincite</title>" in page
            for name in re.findall(r'"/(static/[\w.]+)"', page):
                loaded = httpx.get(f"{found[0]}/{name}")
                assert loaded.content == (ROOT / "retrievers" / "page" / Path(name).name).read_bytes()
            health = httpx.get(f"{found[0]}/api/health").json()
        finally:
            server.terminate()
            assert server.stderr is not None
            said = server.stderr.read()
    assert (health["status"], health["version"]) == ("ok", "0.1.0")
    assert "Traceback" not in said
