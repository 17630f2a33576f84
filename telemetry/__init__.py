"""What agent and predictor agree on: the schema, the points, and the stores that hold them."""
