"""What is measured, and against what: arrays in; arrays, floats and small frozen dataclasses out."""
