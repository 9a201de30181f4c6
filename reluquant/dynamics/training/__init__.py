"""Training with PyTorch: the only room that knows it. It loads when a run begins."""
