"""``python -m orchestrator``: the command `sweep` where it is not on the PATH."""

import sys

from orchestrator.cli.app import main

sys.exit(main())
