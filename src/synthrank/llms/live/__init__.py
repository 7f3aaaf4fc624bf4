"""Live requests: concurrency, rate limits, retries."""
