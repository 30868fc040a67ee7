"""Builds the report of a sweep, one self-contained HTML page, from its records; terminal output is in cli/views/.

``collect`` reads the records into a ``ReportData``, with pure functions from the other modules here. ``page`` renders
it as HTML with the templates, style sheet and scripts in ``files/``. Templates write all text; the scripts draw the
charts from JSON (``chart_data``).
"""
