"""Fixes as values: which change, at which line, as code to paste and as edits to the letter."""
