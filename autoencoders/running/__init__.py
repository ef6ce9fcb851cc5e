"""Carrying out a plan: in the order of what tasks need, in processes of this machine or of a cluster."""
