"""What is measured of a model or a baseline: one function for each kind of measurement, each giving one artifact.

``subject`` is a trained model or a `Baseline`. An artifact's ``rows`` are the figures that tables and `results` show.
"""
