"""The annotator's docks: controls, queue, history, depths, side view, and where they are."""
