"""Where a person is in a project: the queue of hands, the search in it, the hand and photo looked at; no Qt."""
