"""Shared helpers: references, settings of every rule, arrays of every layout, accidents, devices."""
