"""Live widgets: traits and layout only; what they show comes from :mod:`reluquant.views`."""
