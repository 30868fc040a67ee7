"""The report of a sweep: what its records say, drawn on one page that opens without a network.

``collect`` reads the records and makes a ``ReportData`` of them, by functions of values in the other modules here.
``page`` writes it as HTML, by the templates, the style sheet and the scripts in ``files/``. The data of the drawings
go to the scripts as JSON (``view``); all that is text is written by the template.
"""
