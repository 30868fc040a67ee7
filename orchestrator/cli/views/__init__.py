"""Turns values into text and data for one command or several. Nothing here reads options or redraws a screen."""
