"""An app with every kind of relation that Django has, for the tests of findings."""
