"""What is known of the notebook in which this process computes, if it is the kernel of one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any


def kernel() -> Any:
    """IPython's shell if this process is the kernel of a notebook, else None. IPython is not imported for this."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell if hasattr(shell, "kernel") else None


def shares_a_page() -> bool:
    """Whether all outputs of the notebook are on one page. Colab puts each output on a page of its own."""
    return kernel() is not None and "google.colab" not in sys.modules


def cell() -> tuple[str, str]:
    """Which cell is being computed, "" if the notebook does not tell; and in which run of it."""
    message: Mapping[str, Any] = getattr(kernel(), "get_parent", dict)()  # the request to run the cell
    return str(message.get("metadata", {}).get("cellId", "")), str(message.get("header", {}).get("msg_id", ""))
