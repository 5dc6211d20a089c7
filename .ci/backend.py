"""setuptools' own build backend, with the list of the sdist's further files beside it instead of in the root."""

from setuptools.build_meta import *  # noqa: F403 (the hooks of PEP 517 and PEP 660)
from setuptools.command.egg_info import manifest_maker

manifest_maker.template = ".ci/sdist-files"
