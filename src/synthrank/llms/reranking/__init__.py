"""Rank the candidates of queries with a language model.

``sorts`` chooses the next comparisons, ``askers`` renders them as requests and reads the replies, ``questions`` runs
the conversation about one query, ``rounds`` runs many conversations in lockstep, ``methods`` builds these parts from a
file of ``config/rankings``, and ``tally`` counts requests and repairs.
"""
