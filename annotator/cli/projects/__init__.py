"""Commands about a project as a whole: what is in it, where its photos are, copies, repair."""
