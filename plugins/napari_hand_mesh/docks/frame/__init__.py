"""The window round the annotator: which docks there are and where, how it was left, which keys are meant for it."""
