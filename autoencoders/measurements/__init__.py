"""What is measured of a model or a baseline: one class for each kind of measurement."""
