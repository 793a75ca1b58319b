"""Functions in threes: ``_slow`` has what is to be found, ``_fixed`` is what an expert makes of it,
``_silent`` only looks like it.

``# origin`` stands at the line of the queryset, ``# read`` at the line that reads; the table beside
this package says what is expected. Every function returns plain data, the same in all databases.
"""
