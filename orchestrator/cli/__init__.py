"""The command `sweep`: parses command lines, prints, sets exit codes; nothing else in orchestrator/ prints."""
