"""What a person does with a project, one hand at a time; no Qt."""
