"""The options of a program, read from its syntax tree, a library of command lines per file; proposes no ranges."""
