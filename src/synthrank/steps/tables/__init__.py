"""Stage tables: the results as CSV and Markdown."""
