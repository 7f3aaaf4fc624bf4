"""Steps and parts of the stage report: an experiment as one page."""
