"""Pages over the window: how the work goes, and the tour of a first use."""
