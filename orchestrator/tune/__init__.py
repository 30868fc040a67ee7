"""The border with Ray Tune. Its hooks only translate between Ray Tune and the state machine in sweep.py."""
