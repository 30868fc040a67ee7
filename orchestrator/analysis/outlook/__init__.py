"""What further trials would bring, by the results so far; when a sweep ends is forecast in orchestrator/simulate/."""
