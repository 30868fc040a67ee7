"""One file per command, named as it is typed: its options and what it calls; text is made in views/."""
