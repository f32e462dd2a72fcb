"""stub"""
from experiments.settings import Settings
from experiments.report import Report
def run(settings: Settings) -> Report: ...
