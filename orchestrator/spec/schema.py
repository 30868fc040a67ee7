"""The spec as a JSON Schema, so that an editor completes and checks it while it is written."""

from __future__ import annotations

from typing import Any

from orchestrator.spec.model import Spec


def spec_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a spec file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Spec.model_json_schema(by_alias=True),
        "title": "Sweep",
    }
