"""Plays recorded sweeps under other settings on the virtual clock; forecasts of unknown curves are in simulate/."""
