"""A project's photos on the disk: where they are, what they show, depth images beside them."""
