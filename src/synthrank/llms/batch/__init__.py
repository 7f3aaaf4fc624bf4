"""Requests that a provider processes in batches: engine, journal, transport."""
