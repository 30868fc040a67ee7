"""Where the time of a sweep went, and how long its steps took; forecasts are in orchestrator/simulate/."""
