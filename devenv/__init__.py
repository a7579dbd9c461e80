"""devenv: a Heroku app, unchanged, on a real Kubernetes cluster."""

__version__ = "0.1.0"
