"""``python -m orchestrator.cli``: the command `sweep` where it is not on the PATH."""

import sys

from orchestrator.cli import main

sys.exit(main())
