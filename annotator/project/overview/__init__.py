"""Questions that people ask of a whole project: which hands, what of them is doubtful, what was done."""
