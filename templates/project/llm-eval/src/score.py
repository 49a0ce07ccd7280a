"""Measure data/answers.jsonl, over all and by kind of question; write metrics.json."""

import make_data
from answer import PATH
from measure import measured
from project import TOP, write_metrics

if __name__ == "__main__":
    write_metrics(*measured(make_data.read(TOP / make_data.PATH), make_data.read(PATH)))
