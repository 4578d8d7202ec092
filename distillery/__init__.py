"""A factory that turns problems into verified reasoning data, and data into models."""

__version__ = "0.1.0"
