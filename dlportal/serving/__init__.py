"""How a prediction is run: loaded once, batched, bounded, timed."""
