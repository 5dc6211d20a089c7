"""Settings: flags before variables before defaults; what cannot be meant is refused by name."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from ingest.errors import UsageError
from ingest.settings import Settings, find_library, read_settings, variable_of


def test_without_flags_and_variables_the_defaults_hold():
    assert read_settings(environ={}) == Settings()


def test_a_variable_replaces_a_default():
    settings = read_settings(environ={"PINCITE_CHAT_MODEL": "qwen3", "PINCITE_JOBS": "3", "PINCITE_TIMEOUT": "2.5"})
    assert (settings.chat_model, settings.jobs, settings.timeout) == ("qwen3", 3, 2.5)
    assert settings.vision_model == Settings().vision_model


def test_a_flag_wins_over_its_variable():
    assert read_settings({"jobs": 5}, {"PINCITE_JOBS": "3"}).jobs == 5


def test_a_flag_that_is_none_counts_as_not_given():
    assert read_settings({"jobs": None}, {"PINCITE_JOBS": "3"}).jobs == 3


def test_a_flag_that_is_zero_counts_as_given():
    assert read_settings({"jobs": 0}, {"PINCITE_JOBS": "3"}).jobs == 0


def test_an_empty_variable_counts_as_not_set():
    assert read_settings(environ={"PINCITE_JOBS": "", "OLLAMA_HOST": ""}) == Settings()


def test_an_unknown_pincite_variable_is_refused_and_the_known_ones_are_named():
    with pytest.raises(UsageError, match=r"PINCITE_JOB; known are .*OLLAMA_HOST.*PINCITE_JOBS"):
        read_settings(environ={"PINCITE_JOB": "3"})


def test_other_programs_variables_are_left_alone():
    assert read_settings(environ={"PATH": "/bin", "OLLAMA_MODELS": "/models"}) == Settings()


@pytest.mark.parametrize(
    ("name", "text"), [("PINCITE_JOBS", "many"), ("PINCITE_JOBS", "1.5"), ("PINCITE_TIMEOUT", "x")]
)
def test_a_number_that_cannot_be_read_is_refused_with_its_variable_and_text(name, text):
    with pytest.raises(UsageError, match=rf"{name} must be a number, not '{text}'"):
        read_settings(environ={name: text})


@pytest.mark.parametrize("values", [{"jobs": -1}, {"max_file_mb": 0}, {"timeout": 0.0}, {"timeout": -1.0}])
def test_a_number_out_of_range_is_refused(values):
    with pytest.raises(UsageError, match=next(iter(values))):
        Settings(**values)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("192.0.2.7", "http://192.0.2.7:11434"),
        ("192.0.2.7:8080", "http://192.0.2.7:8080"),
        (":8080", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("http://box:8080", "http://box:8080"),
        ("http://box:8080/", "http://box:8080"),
        ("https://ollama.example.org", "https://ollama.example.org"),
    ],
)
def test_the_ollama_host_may_be_written_as_ollama_allows(text, url):
    assert read_settings(environ={"OLLAMA_HOST": text}).ollama_host == url


def test_the_makers_variable_names_are_kept_and_all_others_begin_with_pincite():
    names = {f.name: variable_of(f.name) for f in fields(Settings)}
    assert names.pop("ollama_host") == "OLLAMA_HOST"
    assert names.pop("llama_cloud_api_key") == "LLAMA_CLOUD_API_KEY"
    assert names == {name: f"PINCITE_{name.upper()}" for name in names}


def test_a_library_variable_becomes_a_path_with_the_home_folder_filled_in():
    assert read_settings(environ={"PINCITE_LIBRARY": "~/books"}).library == Path.home() / "books"


def test_settings_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Settings().jobs = 2


def test_worker_count_is_jobs_or_else_at_least_one():
    assert Settings(jobs=7).worker_count == 7
    assert Settings(jobs=0).worker_count >= 1


def test_the_nearest_library_upwards_is_found(tmp_path):
    (tmp_path / ".pincite").mkdir()
    (tmp_path / "a" / ".pincite").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    assert find_library(None, tmp_path / "a" / "b" / "c") == tmp_path / "a" / ".pincite"


def test_a_file_named_like_a_library_is_not_one(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".pincite").touch()
    (tmp_path / ".pincite").mkdir()
    assert find_library(None, tmp_path / "a") == tmp_path / ".pincite"


def test_without_a_library_upwards_a_new_one_stands_here(tmp_path):
    assert find_library(None, tmp_path) == tmp_path / ".pincite"


def test_a_given_library_wins_over_a_nearer_one(tmp_path):
    (tmp_path / ".pincite").mkdir()
    assert find_library(tmp_path / "x" / ".." / "other", tmp_path) == tmp_path / "other"


@pytest.mark.parametrize(("text", "kept"), [("1", True), ("yes", True), ("0", False), ("off", False)])
def test_a_switch_is_on_or_off(text, kept):
    assert read_settings(environ={"PINCITE_KEEP_SUMMARIES": text}).keep_summaries is kept


def test_a_switch_that_is_neither_is_refused():
    with pytest.raises(UsageError, match="PINCITE_KEEP_SUMMARIES must be 1 or 0, not 'perhaps'"):
        read_settings(environ={"PINCITE_KEEP_SUMMARIES": "perhaps"})
