"""Agents that learn in a world from what a run makes of its states, and their returns."""
