"""From a capture to what the templates show: pure functions, plain data in and out."""
