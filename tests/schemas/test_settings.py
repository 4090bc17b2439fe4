"""Settings: the four places they come from, their order, and what is refused."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from cli import options
from cli.options import load_settings
from cli.serve import parse_arguments
from schemas.configuration.settings import ENVIRONMENT_NAMES, SettingsSchema, sentences
from schemas.configuration.settings_file import SettingsError
from tests.processes import ROOT

KEYS = [(section, key) for section, nested in SettingsSchema().fields.items() for key in nested.schema.fields]  # type: ignore[attr-defined]


@pytest.fixture
def load(tmp_path, monkeypatch):
    """``load("--port", "0", toml="…", dotenv="…", environment={…})``: settings as the server reads them."""
    monkeypatch.setattr(options, "HOME", tmp_path)

    def read(*arguments, toml="", dotenv="", environment=None):
        (tmp_path / "settings.toml").write_text(toml)
        (tmp_path / ".env").write_text(dotenv)
        given = parse_arguments(["--settings", str(tmp_path / "settings.toml"), *arguments])
        return load_settings(given, environment or {})

    return read


def test_defaults_are_those_of_the_contract(load):
    settings = load()
    assert (settings.server.host, settings.server.port) == ("0.0.0.0", 5000)
    assert settings.server.frontend_url == ("http://localhost:3000", "http://localhost:5173")
    assert settings.server.api_timeout_s == 30
    assert settings.websocket.timeout_s == 60
    assert settings.feed.source == "simulated"
    assert settings.feed.hours == "always"
    assert settings.server.debug is False
    assert settings.server.api_keys == ()


PLACES = ("toml", "dotenv", "environment", "arguments")


@pytest.mark.parametrize("count", range(1, 5))
def test_later_place_overrides_the_earlier_ones(load, count):
    given = {
        "toml": "[server]\nport = 1001\n",
        "dotenv": "PORT=1002\n",
        "environment": {"PORT": "1003"},
    }
    arguments = ("--port", "1004") if count == 4 else ()
    settings = load(*arguments, **{name: given[name] for name in PLACES[:count] if name in given})
    assert settings.server.port == 1000 + count


def test_option_of_its_own_and_set_name_the_same_key(load):
    assert load("--set", "feed.seed=9").feed.seed == load("--seed", "9").feed.seed == 9


SHORT_NAMES = [
    ("DEBUG", "true", lambda s: s.server.debug, True),
    ("HOST", "127.0.0.1", lambda s: s.server.host, "127.0.0.1"),
    ("PORT", "8080", lambda s: s.server.port, 8080),
    (
        "FRONTEND_URL",
        "https://a.example, https://b.example:8443",
        lambda s: s.server.frontend_url,
        ("https://a.example", "https://b.example:8443"),
    ),
    ("API_TIMEOUT", "5", lambda s: s.server.api_timeout_s, 5),
    ("RATE_LIMIT_PER_MINUTE", "0", lambda s: s.limits.rate_limit_per_minute, 0),
    ("WEBSOCKET_TIMEOUT", "90", lambda s: s.websocket.timeout_s, 90),
    ("MAX_CLIENTS", "7", lambda s: s.limits.max_clients, 7),
    (
        "API_KEYS",
        "first-key,second-key",
        lambda s: [key.name for key in s.server.api_keys],
        ["unnamed-1", "unnamed-2"],
    ),
    ("TLS_CERT", "chain.pem", lambda s: s.server.tls_cert, "chain.pem"),
    ("TLS_KEY", "key.pem", lambda s: s.server.tls_key, "key.pem"),
    ("DATABASE_URL", "sqlite:///x.sqlite3", lambda s: s.history.database_url, "sqlite:///x.sqlite3"),
    ("RELAY_URL", "redis://bus:6379/0", lambda s: s.relay.url, "redis://bus:6379/0"),
    ("KITE_API_KEY", "key-of-an-application", lambda s: s.kite.api_key, "key-of-an-application"),
    ("KITE_API_SECRET", "its-secret", lambda s: s.kite.api_secret, "its-secret"),
    ("KITE_ACCESS_TOKEN", "of-today", lambda s: s.kite.access_token, "of-today"),
    ("DHAN_CLIENT_ID", "1000000001", lambda s: s.dhan.client_id, "1000000001"),
    ("DHAN_ACCESS_TOKEN", "of-today", lambda s: s.dhan.access_token, "of-today"),
    ("DHAN_PIN", "123456", lambda s: s.dhan.pin, "123456"),
    ("DHAN_TOTP_SECRET", "JBSWY3DP", lambda s: s.dhan.totp_secret, "JBSWY3DP"),
]


@pytest.mark.parametrize("place", ["environment", "dotenv"])
@pytest.mark.parametrize(("name", "text", "read", "value"), SHORT_NAMES, ids=[row[0] for row in SHORT_NAMES])
def test_names_of_the_contract_work_in_the_environment(load, place, name, text, read, value):
    given = {name: text} if place == "environment" else f'{name}="{text}"\n'
    assert read(load(**{place: given})) == value


def test_names_of_the_contract_are_all_known():
    assert {name for name, *_ in SHORT_NAMES} == ENVIRONMENT_NAMES.keys()


TEXTS = {
    "kite.root_url": "http://localhost:6500",
    "dhan.root_url": "http://localhost:6600/v2",
    "dhan.feed_url": "ws://localhost:6600",
    "dhan.login_url": "http://localhost:6600",
    "dhan.instruments_url": "http://localhost:6600/list.csv",
    "kite.ticker_url": "ws://localhost:6500",
    "kite.login_url": "http://localhost:6500/connect/login",
    "kite_mock.redirect_url": "http://localhost:8000/login",
    "relay.url": "redis://localhost:6379/0",
    "relay.feed_url": "http://feed:5000",
    "server.role": "edge",
    "server.host": "::1",
    "server.frontend_url": "https://front.example",
    "server.api_keys": "long-enough",
    "server.trusted_proxies": "10.0.0.0/8",
    "server.log_level": "debug",
    "feed.source": "replay",
    "feed.start": "2026-11-23T10:00+05:30",
    "feed.hours": "exchange",
    "feed.scenario": "crash",
}


def another(name, default):
    """A valid value, as text, that is not the default."""
    if isinstance(default, bool):
        return str(not default)
    if isinstance(default, int):
        return str(default + 1)
    return TEXTS.get(name) or (str(default / 2 + 0.25) if isinstance(default, float) else "another")


@pytest.mark.parametrize(("section", "key"), KEYS, ids=[f"{section}.{key}" for section, key in KEYS])
def test_any_key_is_reached_as_section_and_key(load, section, key):
    default = getattr(getattr(load(), section), key)
    text = another(f"{section}.{key}", default)
    settings = load(environment={f"{section}__{key}".upper(): text})
    assert getattr(getattr(settings, section), key) != default


def test_variables_of_others_are_left_alone(load):
    environment = {"PATH": "/bin", "PYTHON__X": "1", "HOME": "/root", "LC_ALL": "C"}
    assert load(environment=environment) == load()


REFUSED = [
    # file, what the sentence names: key, rule, value
    ("[server]\nport = 99999\n", "server.port", "between 0 and 65535", "99999"),
    ("[server]\nport = 'http'\n", "server.port", "whole number", "'http'"),
    ("[server]\nprot = 1\n", "server.prot", "there is no such setting", ""),
    ("[sever]\nport = 1\n", "sever", "there is no such setting", ""),
    ("[server]\nfrontend_url = ['localhost']\n", "server.frontend_url", "must be an origin", "localhost"),
    ("[server]\nfrontend_url = ['*']\n", "server.frontend_url", "must be an origin", "*"),
    ("[server]\nfrontend_url = ['http://a/b']\n", "server.frontend_url", "must be an origin", "http://a/b"),
    ("[server]\napi_keys = ['short']\n", "server.api_keys", "at least 8 characters", ""),
    ("[server]\ntrusted_proxies = ['proxy']\n", "server.trusted_proxies", "IP address or network", "proxy"),
    ("[server]\nlog_level = 'loud'\n", "server.log_level", "debug, info, warning, error", "loud"),
    ("[server]\ndebug = 'perhaps'\n", "server.debug", "true or false", "'perhaps'"),
    ("[server]\napi_timeout_s = 0\n", "server.api_timeout_s", "between 0.1 and 600", "0"),
    ("[feed]\nsource = 'guess'\n", "feed.source", "simulated", "guess"),
    ("[feed]\nhours = 'sometimes'\n", "feed.hours", "always, exchange", "sometimes"),
    ("[feed]\nstart = 'noon'\n", "feed.start", "instant", "noon"),
    ("[feed]\nstart = '2026-11-23T10:00'\n", "feed.start", "offset", "2026-11-23T10:00"),
    ("[feed]\npublish_interval_ms = 5\n", "feed.publish_interval_ms", "between 20 and 60000", "5"),
    ("[feed]\nspeed = nan\n", "feed.speed", "finite number", "nan"),
    ("[feed]\nspeed = 'fast'\n", "feed.speed", "must be a number", "'fast'"),
    ("[server]\nhost = 5\n", "server.host", "must be a text", "5"),
    ("[server]\nport = true\n", "server.port", "whole number", "True"),
    ("[server]\napi_keys = 5\n", "server.api_keys", "must be a list", "5"),
    ("[limits]\nmax_clients = 0\n", "limits.max_clients", "between 1", "0"),
    ("[limits]\nmax_clients = 1.5\n", "limits.max_clients", "whole number", "1.5"),
    ("server = 1\n", "server", "", ""),
]


@pytest.mark.parametrize(("toml", "key", "rule", "value"), REFUSED)
def test_bad_setting_is_refused_with_key_rule_and_value(load, toml, key, rule, value):
    with pytest.raises(SettingsError) as refused:
        load(toml=toml)
    told = str(refused.value)
    assert key in told
    assert rule in told
    assert value in told
    assert "\n" not in told


@pytest.mark.parametrize("argument", ["feed.seed", "feed", "=1", "seed=1"])
def test_set_without_section_key_and_value_is_refused(load, argument):
    with pytest.raises(SettingsError, match=r"SECTION\.KEY=VALUE"):
        load("--set", argument)


def test_every_bad_setting_is_told_at_once(load):
    with pytest.raises(SettingsError) as refused:
        load(toml="[server]\nport = -1\n[feed]\nspeed = 0\n")
    assert "server.port" in str(refused.value)
    assert "feed.speed" in str(refused.value)


def test_secret_is_not_repeated_in_the_sentence(load):
    with pytest.raises(SettingsError) as refused:
        load(environment={"API_KEYS": "hunter2"})
    assert "hunter2" not in str(refused.value)


def test_file_that_is_no_toml_is_refused(load):
    with pytest.raises(SettingsError, match=r"settings\.toml"):
        load(toml="[server\nport = 1\n")


def test_file_that_is_not_there_is_refused(tmp_path):
    missing = tmp_path / "nowhere.toml"
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        load_settings(parse_arguments(["--settings", str(missing)]), {})


def test_named_file_of_secrets_takes_the_place_of_the_one_beside_the_server(tmp_path, load):
    other = tmp_path / "environment"
    other.write_text("MAX_CLIENTS=7\n")
    settings = load("--env-file", str(other), dotenv="MAX_CLIENTS=8\nPORT=1\n")
    assert (settings.limits.max_clients, settings.server.port) == (7, 5000)
    assert load("--env-file", str(other), environment={"MAX_CLIENTS": "9"}).limits.max_clients == 9


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "environment, which does not exist"), (b"PORT=\xff\xfe\n", "must be text in UTF-8")],
)
def test_named_file_of_secrets_that_cannot_be_used_is_refused(tmp_path, load, content, sentence):
    other = tmp_path / "environment"
    if content is not None:
        other.write_bytes(content)
    with pytest.raises(SettingsError, match=sentence):
        load("--env-file", str(other))


def test_replay_file_on_the_command_line_chooses_the_source(load):
    settings = load("--replay", "chain.csv")
    assert (settings.feed.source, settings.replay.file) == ("replay", "chain.csv")


def test_settings_cannot_be_changed(load):
    settings = load()
    with pytest.raises(AttributeError):
        settings.server.port = 1


def test_shipped_file_is_valid_and_loads_to_the_defaults():
    shipped = tomllib.loads((ROOT / "settings.toml").read_text())
    assert SettingsSchema().load(shipped) == SettingsSchema().load({})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def complaints(tree):
    try:
        SettingsSchema().load(tree)
    except ValidationError as error:
        return sentences(error.normalized_messages())
    return []


@given(ANYTHING)
def test_value_of_any_kind_is_taken_or_refused_in_sentences(value):
    sections = {section for section, _ in KEYS}
    tree = {name: {key: value for section, key in KEYS if section == name} for name in sections}
    for sentence in complaints(tree):
        key, _, rule = sentence.partition(": ")
        assert key.split(".")[0] in sections
        assert rule


@given(ANYTHING)
def test_section_of_any_kind_is_taken_or_refused_in_sentences(value):
    for section in {section for section, _ in KEYS}:
        assert all(sentence.startswith(section) for sentence in complaints({section: value}))
