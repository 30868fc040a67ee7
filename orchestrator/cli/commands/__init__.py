"""One file for each command, named as it is typed: its options, and what it calls. Text goes to `views`."""
