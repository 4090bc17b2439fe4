"""What the log looks like, and how much of it there is."""

import io
import json
import logging
import os
import pty
import re
import subprocess
import sys
import unicodedata
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.web import Application, RequestHandler

from handlers.monitoring.logs import AccessLog, HumanFormatter, JournalFormatter, JsonFormatter, Log

ROOT = Path(__file__).parents[3]
logger = logging.getLogger("a.part")


def record_of(message, *arguments, level=logging.INFO, exc_info=None, **extra):
    return logger.makeRecord("a.part", level, "file.py", 1, message, arguments, exc_info, extra=extra)


def failure():
    try:
        raise ValueError("strike must be positive, was -5.0")
    except ValueError:
        return sys.exc_info()


@pytest.fixture
def start_log():
    """Start logs that leave the root logger as they found it."""
    started = []

    def start(log):
        log.start()
        started.append(log)
        return log

    yield start
    for log in reversed(started):
        log.stop()


def lines_of(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_line_has_time_level_logger_and_message():
    record = record_of("%s stale for %.1f s", "NIFTY", 16.04, level=logging.WARNING)
    record.created = 1_795_000_000.0419
    assert json.loads(JsonFormatter().format(record)) == {
        "time": "2026-11-18T11:06:40.041Z",
        "level": "WARNING",
        "logger": "a.part",
        "message": "NIFTY stale for 16.0 s",
    }


def test_given_ids_become_fields_and_other_extras_do_not():
    line = json.loads(JsonFormatter().format(record_of("event", request_id="r1", client_id="c1", secret="x")))
    assert (line["request_id"], line["client_id"]) == ("r1", "c1")
    assert "secret" not in line


def test_json_exception_is_one_field_of_the_same_line():
    text = JsonFormatter().format(record_of("it failed", exc_info=failure()))
    assert "\n" not in text
    line = json.loads(text)
    assert line["message"] == "it failed"
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("ValueError: strike must be positive, was -5.0")


def test_value_that_is_no_json_is_logged_as_its_text():
    assert json.loads(JsonFormatter().format(record_of("event", client_id=Path("/x"))))["client_id"] == "/x"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_no_text_of_a_stranger_breaks_a_line_or_steers_a_terminal(text):
    record = record_of("said %s", text, request_id=text)
    line = JsonFormatter().format(record)
    assert json.loads(line)["message"] == f"said {text}"
    assert "\n" not in line
    shown = HumanFormatter().format(record)
    assert not any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in shown)


def test_human_line_is_short_and_its_traceback_follows():
    record = record_of("it failed", exc_info=failure(), request_id="r1")
    first, *rest = HumanFormatter().format(record).splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} INFO    a\.part: it failed \[request_id=r1\]", first)
    assert rest[0] == "Traceback (most recent call last):"
    assert rest[-1] == "ValueError: strike must be positive, was -5.0"


def test_human_traceback_cannot_steer_the_terminal():
    try:
        raise ValueError("\x1b[2Jgone")
    except ValueError:
        text = HumanFormatter().format(record_of("it failed", exc_info=sys.exc_info()))
    assert "\x1b" not in text
    assert text.endswith("ValueError: \\x1b[2Jgone")


@pytest.mark.parametrize(
    ("level", "prefix"), [(logging.ERROR, "<3>{"), (logging.DEBUG, "<7>{"), (35, "<6>{")]
)
def test_journal_line_begins_with_its_priority(level, prefix):
    assert JournalFormatter().format(record_of("event", level=level)).startswith(prefix)


def test_form_of_the_log_suits_its_stream(tmp_path):
    main, side = pty.openpty()
    with open(side, "w") as terminal, (tmp_path / "log").open("w") as file:
        status = os.fstat(file.fileno())
        forms = {
            "terminal": Log.on(terminal, "info"),
            "file": Log.on(file, "info"),
            "journal": Log.on(file, "info", journal_stream=f"{status.st_dev}:{status.st_ino}"),
            "other journal": Log.on(file, "info", journal_stream="1:2"),
            "memory": Log.on(io.StringIO(), "info", journal_stream="1:2"),
        }
        found = {name: type(log.handler.formatter) for name, log in forms.items()}
    os.close(main)
    assert found == {
        "terminal": HumanFormatter,
        "file": JsonFormatter,
        "journal": JournalFormatter,
        "other journal": JsonFormatter,
        "memory": JsonFormatter,
    }


def test_debug_is_switched_on_and_back_to_the_level_that_was_set(start_log):
    stream = io.StringIO()
    log = start_log(Log.on(stream, "warning"))
    logger.info("unheard")
    log.toggle_debug()
    logger.debug("heard")
    log.toggle_debug()
    logger.info("unheard again")
    log.set_level("error")
    logger.warning("unheard too")
    log.toggle_debug()
    log.toggle_debug()
    assert log.level == "error"
    assert [line["message"] for line in lines_of(stream)] == [
        "the log level is now DEBUG",
        "heard",
        "the log level is now WARNING",
        "the log level is now ERROR",
        "the log level is now DEBUG",
        "the log level is now ERROR",
    ]


def test_switch_of_a_log_that_was_at_debug_goes_to_info_and_back(start_log):
    log = start_log(Log.on(io.StringIO(), "debug"))
    levels = []
    for _ in range(3):
        log.toggle_debug()
        levels.append(log.level)
    assert levels == ["info", "debug", "info"]


def test_unknown_level_is_refused_with_its_name():
    with pytest.raises(ValueError, match="must be debug, info, warning or error, was 'loud'"):
        Log.on(io.StringIO(), "loud")


def test_warnings_of_python_are_log_lines(start_log):
    stream = io.StringIO()
    start_log(Log.on(stream, "info"))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("old name", DeprecationWarning, stacklevel=1)
    (line,) = lines_of(stream)
    assert line["logger"] == "py.warnings"
    assert "DeprecationWarning: old name" in line["message"]


def test_stop_leaves_the_root_logger_as_it_was(start_log):
    root = logging.getLogger()
    before = (root.level, list(root.handlers), sys.excepthook)
    log = Log.on(io.StringIO(), "error")
    log.start()
    assert root.level == logging.ERROR
    log.stop()
    assert (root.level, root.handlers, sys.excepthook) == before


def test_crash_is_one_json_line_with_its_traceback():
    # the file alone: importing the package takes a second
    code = (
        "import runpy, sys; Log = runpy.run_path('handlers/monitoring/logs.py')['Log']; "
        "Log.on(sys.stderr, 'info').start(); 1 / 0"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    (text,) = done.stderr.splitlines()
    line = json.loads(text)
    assert (line["level"], line["message"]) == ("CRITICAL", "the process ends: division by zero")
    assert line["exception"].endswith("ZeroDivisionError: division by zero")


class Hello(RequestHandler):
    def prepare(self):
        self.request_id = "r7"

    def get(self):
        self.finish("hello")

    async def head(self):
        self.finish("hello")


@pytest.fixture
def app():
    access = AccessLog(lambda request: f"behind {request.remote_ip}")
    return Application(
        [("/hello", Hello)],
        log_function=lambda handler: access.write(handler, "/hello"),
        compress_response=True,
    )


@pytest.fixture
def answered(http_server, http_client, base_url, start_log):
    """Make a request; the one line that the access log has of it."""

    async def fetch(path, **options):
        stream = io.StringIO()
        log = start_log(Log.on(stream, "info"))
        await http_client.fetch(base_url + path, raise_error=False, **options)
        log.stop()
        return [line for line in lines_of(stream) if line["logger"] == "access"]

    return fetch


@pytest.mark.gen_test
async def test_answer_is_logged_without_its_query(answered):
    (line,) = await answered("/hello?token=secret")
    assert line.pop("duration_ms") >= 0
    assert "secret" not in json.dumps(line)
    del line["time"]
    assert line == {
        "level": "INFO",
        "logger": "access",
        "message": "GET /hello",
        "request_id": "r7",
        "route": "/hello",
        "method": "GET",
        "status": 200,
        "bytes": 5,
        "address": "behind 127.0.0.1",
    }


@pytest.mark.gen_test
async def test_answer_without_a_body_counts_no_bytes(answered):
    (line,) = await answered("/hello", method="HEAD")
    assert (line["method"], line["bytes"]) == ("HEAD", 0)


@pytest.mark.gen_test
async def test_request_that_never_got_an_id_is_logged_without_one(answered):
    (line,) = await answered("/nowhere")
    assert line["status"] == 404
    assert "request_id" not in line
