"""The progress of a run, read from Snakemake's log."""

import logging
import os
import subprocess
import sys
import time

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from synthrank.workflow.monitor import command
from synthrank.workflow.monitor.log import STOPPED, last_run, parse
from synthrank.workflow.monitor.text import duration, job_line, reason, run_line, seconds_left

BEGIN = time.mktime(time.strptime("Sat Nov 21 21:26:00 2026"))
HEAD = """\
Job stats:
job              count
-------------  -------
build_queries        4
train_ranker         1
total                5

"""


def at(seconds, text):
    return f"[{time.asctime(time.localtime(BEGIN + seconds))}]\n{text}\n"


def started(number, rule, name, stage, seconds):
    output = f"    output: results/{stage}/{name}/a.jsonl, results/{stage}/{name}/b.txt"
    log = f"    log: results/logs/{rule}/{name}.log"
    return at(
        seconds, f"localrule {rule}:\n    input: x\n{output}\n{log}\n    jobid: {number}\n    resources: tmpdir=/tmp"
    )


def finished(number, rule, seconds, done, total=5):
    return at(seconds, f"Finished jobid: {number} (Rule: {rule})\n{done} of {total} steps (0%) done")


def failed(number, rule, seconds):
    return at(
        seconds, f"Error in rule {rule}:\n    message: None\n    jobid: {number}\n    log: x.log (check log file(s))"
    )


RUN = (
    HEAD
    + started(1, "build_queries", "a/test", "corpora", 0)
    + started(2, "build_queries", "b/test", "corpora", 0)
    + finished(1, "build_queries", 10, 1)
    + started(3, "train_ranker", "human/none", "checkpoints", 10)
    + finished(2, "build_queries", 30, 2)
)


def run_of(text):
    return parse(text.splitlines())


def test_parse_finds_running_jobs_and_their_start():
    run = run_of(RUN)
    assert (run.done, run.total, run.ended) == (2, 5, False)
    assert run.counts == {"build_queries": 4, "train_ranker": 1}
    (job,) = run.running
    assert (job.rule, job.stage, job.name) == ("train_ranker", "checkpoints", "human/none")
    assert (job.start, job.end) == (BEGIN + 10, None)
    assert not run.failed


def test_seconds_left_uses_times_per_rule_and_parallel_jobs():
    """Two more build_queries take 20 s each, the mean of 10 and 30 s. train_ranker has run for 10 of 20 s."""
    busy = (10 + 30 + 10) / 20
    assert seconds_left(run_of(RUN), BEGIN + 20) == pytest.approx((40 + 10) / busy)
    assert seconds_left(run_of(HEAD + started(1, "build_queries", "a", "corpora", 0)), BEGIN + 9) is None


def test_run_line_of_a_running_and_of_a_finished_run():
    text = run_line(run_of(RUN), BEGIN + 20, 1.234)
    assert text == "2 of 5 jobs, 20 s, about 20 s left, $1.23 spent | checkpoints: train_ranker"
    over = RUN + finished(3, "train_ranker", 40, 5) + "Complete log(s): x\n"
    assert run_line(run_of(over), BEGIN + 40, 0) == "5 of 5 jobs, 40 s, $0.00 spent | no job runs"


def test_parse_counts_a_failure_until_the_next_attempt():
    run = run_of(RUN + failed(3, "train_ranker", 35))
    assert [job.name for job in run.failed] == ["human/none"]
    assert not run.running
    assert "2 of 5 jobs, 1 FAILED, " in run_line(run, BEGIN + 40, 0)
    again = run_of(RUN + failed(3, "train_ranker", 35) + started(3, "train_ranker", "human/none", "checkpoints", 36))
    assert not again.failed
    assert len(again.running) == 1


def test_parse_after_ctrl_c_marks_jobs_as_interrupted():
    earlier = RUN + failed(3, "train_ranker", 35) + started(4, "build_queries", "c/test", "corpora", 36)
    run = run_of(f"{earlier}{STOPPED}, this might take some time.\n" + failed(4, "build_queries", 40))
    assert run.stopped
    assert [job.name for job in run.failed] == ["human/none"]
    assert [job.name for job in run.interrupted] == ["c/test"]


@pytest.mark.parametrize(
    ("end", "count"),
    [("", "2 jobs"), (failed(4, "build_queries", 40), "2 jobs"), (finished(4, "build_queries", 40, 3), "1 job")],
)
def test_progress_after_ctrl_c_names_no_failure(tmp_path, capsys, end, count):
    path = tmp_path / ".snakemake/log/2026-1.snakemake.log"
    path.parent.mkdir(parents=True)
    running = RUN + started(4, "build_queries", "c/test", "corpora", 36)
    path.write_text(f"{running}{STOPPED}, this might take some time.\n{end}Complete log(s): x\n")
    command.main(folder=tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == (
        f"Stopped by you (Ctrl-C). {count} interrupted, finished jobs are kept. Run the same command to continue."
    )
    assert "FAILED" not in "".join(lines)


def test_parse_reads_the_indented_jobs_of_a_group():
    text = "\n".join(f"    {row}" for row in started(7, "score_testset", "s", "metrics", 5).splitlines())
    assert [job.stage for job in run_of(HEAD + text).running] == ["metrics"]


@pytest.mark.parametrize("of", ["", "study/"])
def test_parse_ignores_the_experiment_in_the_stage_of_a_table(of):
    page = f"    output: results/{of}report.html\n    log: results/logs/make_report/{of}report.log"
    text = started(7, "make_tables", f"{of}tables", f"{of}tables", 5)
    text += at(6, f"localrule make_report:\n{page}\n    jobid: 8")
    assert [(job.stage, job.name) for job in run_of(HEAD + text).running] == [
        ("tables", f"{of}tables"), ("report", f"{of}report"),
    ]  # fmt: skip


def test_job_line_shows_the_progress_in_the_log(tmp_path):
    job = run_of(RUN).running[0]
    assert job_line(tmp_path, job, BEGIN + 70) == "  checkpoints: train_ranker human/none, 60 s"
    log = tmp_path / job.log
    log.parent.mkdir(parents=True)
    log.write_text("21:00:01 progress: 3 of 30 steps, 20 s\n21:00:21 progress: 12 of 30 steps, 40 s\nother\n")
    assert job_line(tmp_path, job, BEGIN + 70).endswith(", 60 s, 12 of 30 steps")


def test_reason_is_the_error_line_of_the_log(tmp_path):
    assert reason(tmp_path / "none.log") == "no log"
    (tmp_path / "a.log").write_text("x\nerror: first\nTraceback\n")
    assert reason(tmp_path / "a.log") == "error: first"
    (tmp_path / "b.log").write_text("")
    assert reason(tmp_path / "b.log") == "the log is empty"


def test_last_run_ignores_runs_without_jobs(tmp_path):
    logs = tmp_path / ".snakemake/log"
    logs.mkdir(parents=True)
    assert last_run(tmp_path) is None
    for name, text in (("2026-1", HEAD), ("2026-2", RUN), ("2026-3", "Unlocking working directory.\n")):
        (logs / f"{name}.snakemake.log").write_text(text)
    path, run = last_run(tmp_path)
    assert path.name == "2026-2.snakemake.log"
    assert run.done == 2


def test_progress_of_a_starting_run_does_not_show_the_previous_run(tmp_path, monkeypatch, capsys):
    from synthrank.workflow.recovery.processes import Process

    logs = tmp_path / ".snakemake/log"
    logs.mkdir(parents=True)
    for name, text in (("2026-1", RUN), ("2026-2", "Building DAG of jobs...\n")):
        (logs / f"{name}.snakemake.log").write_text(text)
    monkeypatch.setattr(command, "processes_of", lambda folder: [Process(7, True, "snakemake")])
    command.main(folder=tmp_path)
    assert capsys.readouterr().out == "a run is starting: Snakemake is listing its jobs\n"
    monkeypatch.setattr(command, "processes_of", lambda folder: [])
    command.main(folder=tmp_path)
    assert "2 of 5 jobs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (89, "89 s"), (100, "2 min"), (5399, "90 min"), (9000, "2.5 h")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.fixture
def handler(tmp_path, monkeypatch):
    """Return the logger plugin in an empty folder, without its progress line."""
    import snakemake_logger_plugin_synthrank as plugin

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYNTHRANK_PROGRESS", "")
    monkeypatch.setattr(plugin.LogHandler, "_follow", lambda self: None)
    made = plugin.LogHandler(None, None)
    yield made
    made.close()


def record(message, level=logging.INFO, **items):
    return logging.makeLogRecord({"msg": message, "levelno": level, **items})


def test_the_logger_prints_only_failures_errors_and_warnings(handler, capsys, tmp_path):
    (tmp_path / "results/logs/train_ranker").mkdir(parents=True)
    log = "results/logs/train_ranker/human.log"
    (tmp_path / log).write_text("x\nerror: no room; make some\n")
    handler.emit(record("Building DAG of jobs..."))
    handler.emit(record("rule x", event=LogEvent.JOB_INFO))
    handler.emit(record("1 of 3", event=LogEvent.PROGRESS))
    handler.emit(record("Command 'set -euo", logging.ERROR, event=LogEvent.ERROR, exception="RuleException"))
    assert capsys.readouterr().err == ""
    handler.emit(record("Error", logging.ERROR, event=LogEvent.JOB_ERROR, rule_name="train_ranker", log=[log]))
    handler.emit(record("locked", logging.ERROR, event=LogEvent.ERROR, exception="LockException"))
    handler.emit(record("careful", logging.WARNING))
    handler.emit(record("Nothing to be done (all requested files are present)."))
    assert capsys.readouterr().err.splitlines() == [
        "FAILED train_ranker human: error: no room; make some",
        "locked",
        "careful",
        "Nothing to be done (all requested files are present).",
    ]


def test_the_logger_prints_no_errors_after_ctrl_c(handler, capsys):
    handler.emit(record(f"{STOPPED}, this might take some time."))
    handler.emit(record("Error", logging.ERROR, event=LogEvent.JOB_ERROR, rule_name="train_ranker", log=["x.log"]))
    handler.emit(record("At least one job did not complete", logging.ERROR, event=LogEvent.ERROR))
    assert capsys.readouterr().err.splitlines() == [f"{STOPPED}, this might take some time."]


def test_the_progress_line_shows_the_current_run(handler, tmp_path):
    assert handler._line() == ""
    path = tmp_path / ".snakemake/log/2026-1.snakemake.log"
    path.parent.mkdir(parents=True)
    path.write_text(RUN)
    assert handler._line().startswith("2 of 5 jobs, ")
    handler._began = path.stat().st_mtime + 1
    assert handler._line() == "", "the log belongs to an earlier run"


def test_the_progress_line_is_updated_until_the_run_ends(tmp_path, monkeypatch, capsys):
    import snakemake_logger_plugin_synthrank as plugin

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYNTHRANK_PROGRESS", "")
    monkeypatch.setattr(plugin, "EVERY_S", 0.01)
    monkeypatch.setattr(plugin.LogHandler, "_line", lambda self: "2 of 5 jobs")
    made, shown = plugin.LogHandler(None, None), ""
    while "2 of 5 jobs" not in shown:
        shown += capsys.readouterr().err
    made.emit(record("careful", logging.WARNING))
    made.close()
    shown += capsys.readouterr().err
    above, line = shown.rsplit("careful\n", 1)
    assert above.endswith("\r"), "a warning has a separate line"
    assert not line.rsplit("\r", 1)[1].strip(), "the line is removed"


def test_the_logger_turns_the_bars_of_steps_off(handler):
    assert os.environ["SYNTHRANK_PROGRESS"] == "log"


def test_importing_the_logger_imports_no_module_of_synthrank() -> None:
    code = (
        "import snakemake_logger_plugin_synthrank, sys; print([name for name in sys.modules if 'synthrank.' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
