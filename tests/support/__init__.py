"""What several tests use: references, settings of every rule, arrays of every layout, accidents, devices."""
