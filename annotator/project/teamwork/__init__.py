"""Several people on one project: leases, reviews, gold hands, whose steps undo is about."""
