"""The views that the tests call."""
