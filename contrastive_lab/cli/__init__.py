"""The command line. One command, one file; each imports what it needs only when it runs, so that `--help` is instant."""

from contrastive_lab.cli.app import app
from contrastive_lab.cli.compare import compare
from contrastive_lab.cli.data import data
from contrastive_lab.cli.demo import demo
from contrastive_lab.cli.doctor import doctor
from contrastive_lab.cli.evaluate import evaluate
from contrastive_lab.cli.methods import methods
from contrastive_lab.cli.report import report
from contrastive_lab.cli.train import train

for command in (demo, methods, data, train, evaluate, compare, report, doctor):
    app.command()(command)

__all__ = ["app"]
