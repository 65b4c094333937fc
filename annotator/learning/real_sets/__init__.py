"""Real photos with keypoint labels: the freely licensed sets as tables to train from, labelled by a teacher network."""
