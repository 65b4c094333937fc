"""What data sets and tools mean by a name, an order, a place or a unit, and what a reader remarks about it."""
