"""Tests of orchestrator/core/search/auto."""
