"""`python -m contrastive_lab` is the command `contrastive-lab`, also where scripts are not on the path."""

from contrastive_lab.cli import app

if __name__ == "__main__":
    app(prog_name="contrastive-lab")
