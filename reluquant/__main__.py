"""``python -m reluquant``: the same as the command ``reluquant``, where no script is on the path."""

from reluquant.cli import app

if __name__ == "__main__":
    app()
