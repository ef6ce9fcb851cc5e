"""The report's machinery: executed notebooks, variables, rendering by Quarto or without it, checks, the submission."""
