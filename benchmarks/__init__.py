"""What the tool costs, against named peers in the same run. One file a question; docs/performance.md answers."""
