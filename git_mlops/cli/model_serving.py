"""What the commands that serve print."""

from git_mlops import ui
from git_mlops.findings import exit_code
from git_mlops.reports.formats import FORMATS
from git_mlops.serve.smoke import Smoked


def smoked(model: str, done: Smoked, *, as_json: bool) -> int:
    """How a trial went; 1 if it did not go well."""
    if as_json:
        latency = done.latency._asdict() if done.latency else None
        findings = [finding.to_json() for finding in done.findings]
        ui.emit("model-smoke", {"model": model, "checked": list(done.checked), "findings": findings,
                                "latency": latency})  # fmt: skip
        return exit_code(done.findings)
    for checked in done.checked:
        ui.note(f"  + {checked}")
    if done.latency:
        header = ("requests", "clients", "p50 ms", "p95 ms", "p99 ms", "max ms", "per second")
        values = [f"{value:.2f}" if isinstance(value, float) else value for value in done.latency]
        ui.table(header, [values])
    ui.write(FORMATS["text"].render(done.findings, title=model))
    return exit_code(done.findings)
