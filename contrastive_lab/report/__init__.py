"""Finished runs in, one HTML page out that needs nothing else: no network, no server, no kernel."""

from contrastive_lab.report.page import build_report, write_report
from contrastive_lab.report.probe import Probe, load_probe, save_probe
from contrastive_lab.report.record import Record, load_record, load_records
from contrastive_lab.report.table import COLUMNS, Row, summarise

__all__ = [
    "COLUMNS",
    "Probe",
    "Record",
    "Row",
    "build_report",
    "load_probe",
    "load_record",
    "load_records",
    "save_probe",
    "summarise",
    "write_report",
]
