"""GLFNet: encoders, parametric stage, pixel-aligned retrieval, refinement stages, prompts, checkpoints."""
