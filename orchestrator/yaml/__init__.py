"""YAML as plain values, each with the line it is written on; what the values mean is decided in spec/."""
