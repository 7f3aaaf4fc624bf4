"""How a language model orders the candidates of a query, and how many queries are asked for together.

``sorts`` says what to compare next, ``asking`` how that is put to a model and read, ``together`` lets the queries go on
side by side, ``methods`` makes all of it out of what ``config/rankings`` says, and ``counting`` keeps account.
"""
