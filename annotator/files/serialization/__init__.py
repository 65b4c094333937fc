"""Contents of files: arrays, tensors, JSON, YAML and pickles, read with care and written in pieces."""
