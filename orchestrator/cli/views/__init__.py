"""Turns values into the text and data that commands print; reads no options, redraws no screen."""
