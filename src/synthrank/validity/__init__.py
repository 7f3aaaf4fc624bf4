"""Stage validity: what training sets are like, and what of them test sets hold too."""
