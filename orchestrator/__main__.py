"""``python -m orchestrator`` is the command `sweep`, also where `sweep` is not on the PATH."""

import sys

from orchestrator.cli.app import main

sys.exit(main())
