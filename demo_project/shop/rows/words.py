"""Names, prices and text by chance, of a generator that the caller gives."""

from __future__ import annotations

from decimal import Decimal
from random import Random

FIRST_NAMES = ("Ada", "Bruno", "Chiara", "Dev", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas")
LAST_NAMES = ("Adler", "Brook", "Castro", "Dunn", "Ek", "Fabre", "Grant", "Holm", "Ito", "Jansen")
ADJECTIVES = ("Amber", "Bright", "Calm", "Distant", "Early", "Fair", "Golden", "Hidden", "Iron")
NOUNS = ("Anchor", "Bridge", "Cedar", "Delta", "Ember", "Forest", "Harbour", "Island", "Lantern")
TRADES = ("Foods", "Freight", "Labs", "Mills", "Motors", "Optics", "Paper", "Power", "Textiles")
CITIES = ("Bergen", "Bologna", "Ghent", "Leeds", "Lyon", "Malmo", "Porto", "Utrecht", "Zagreb")
WORDS = tuple(word.lower() for word in (*ADJECTIVES, *NOUNS, *TRADES, *CITIES, "and", "of", "the"))


def person(rng: Random) -> str:
    return f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"


def price(rng: Random) -> Decimal:
    return Decimal(rng.randint(199, 99_999)) / 100


def text(rng: Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words)).capitalize() + "."
