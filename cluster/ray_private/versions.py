"""Which Ray is installed, and with which this package was tested."""

from __future__ import annotations

TESTED = ("2.60",)
"""The releases of Ray with which all tests passed, by major and minor version. pyproject.toml allows these only."""

SUPPORTED = ", ".join(f"{release}.x" for release in TESTED)
REQUIREMENT = "ray[tune]>=2.60,<2.61"


def installed() -> str:
    """The version of the installed Ray; "" if there is none."""
    from importlib import metadata  # takes tenths of a second, and most commands need none

    try:
        return metadata.version("ray")
    except metadata.PackageNotFoundError:
        return ""


def was_tested(version: str) -> bool:
    """Whether this version of Ray is one of those that were tested."""
    return ".".join(version.split(".")[:2]) in TESTED
