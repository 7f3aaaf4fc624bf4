"""Find and remove training texts that also occur in test sets: equal texts, n-grams, near duplicates."""
