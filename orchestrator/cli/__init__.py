"""The command `sweep`: parses command lines, prints, sets exit codes. No other part of the orchestrator prints."""
