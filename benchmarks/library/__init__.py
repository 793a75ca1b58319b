"""The small Django project that is measured: every contender serves these same views."""
