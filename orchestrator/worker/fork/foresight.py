"""What a trial will import when it trains, so that its parent can import it before."""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any

from orchestrator.code.by_value import names
from trainables import BUILTIN

_IMPORTS_TORCH = re.compile(r"^\s*(?:import|from)\s+torch\b", re.MULTILINE)


def uses_torch(trainable: Any) -> bool:
    """Whether the trainable uses torch: by now, or by an import in one of the functions of its module."""
    name = getattr(trainable, "__module__", "")
    if "torch" in sys.modules or name in {reference.partition(":")[0] for reference in BUILTIN.values()}:
        return True
    try:
        return _IMPORTS_TORCH.search(inspect.getsource(sys.modules[name])) is not None
    except (KeyError, OSError, TypeError):  # a function given from a notebook has no module here
        code = getattr(trainable, "__code__", None)
        return code is not None and any(each.partition(".")[0] == "torch" for each in names(code))
