"""Autoencoders on CIFAR-10: specs, a cache that trains each of them once, and what the report is made of."""

from autoencoders import importing

importing.install()
