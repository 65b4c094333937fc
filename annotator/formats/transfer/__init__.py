"""Between data sets and what people have: projects out and in, tables to train from."""
