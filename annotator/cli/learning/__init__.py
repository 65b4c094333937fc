"""Commands that learn and measure: training, scores, simulated annotators, rounds."""
