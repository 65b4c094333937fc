"""How GLFNet learns: data, losses, trainer, calibration, scores stage by stage."""
