"""What is stored of a hand, and what a project says about itself."""
