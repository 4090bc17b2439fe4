"""TLS: what is offered, what is refused at the start, and a certificate renewed under clients."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
import socketio

import server as server_module
from handlers.transport.tls import TlsError, make_context


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def make_certificate(folder, name):
    """A certificate of its own for this machine, and its key."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
        *("-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        *("-keyout", key, "-out", cert),
    )
    return cert, key


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Two certificates with their keys, and files that are neither."""
    folder = tmp_path_factory.mktemp("certificates")
    first, second = make_certificate(folder, "first"), make_certificate(folder, "second")
    openssl(
        "ec", "-in", first[1], "-aes256", "-passout", "pass:hello", "-out", folder / "with_passphrase.key"
    )
    (folder / "nonsense.pem").write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    (folder / "empty.pem").write_text("")
    assert first[0].read_text() != second[0].read_text()
    return folder


BAD = [
    ("first.pem", "second.key", ("server.tls_key", "does not belong")),
    ("first.pem", "with_passphrase.key", ("server.tls_key", "passphrase")),
    ("first.pem", "nowhere.key", ("server.tls_key", "nowhere.key", "No such file")),
    ("nowhere.pem", "first.key", ("server.tls_cert", "nowhere.pem", "No such file")),
    ("first.pem", "", ("server.tls_cert is set", "server.tls_key must be")),
    ("", "first.key", ("server.tls_key is set", "server.tls_cert must be")),
    ("nonsense.pem", "first.key", ("nonsense.pem", "must be a PEM certificate chain")),
    ("empty.pem", "empty.pem", ("empty.pem", "must be a PEM certificate chain")),
    ("first.key", "first.pem", ("must be a PEM certificate chain",)),
    ("", "", None),
    ("first.pem", "first.key", None),
]


@pytest.mark.parametrize(("cert", "key", "named"), BAD)
def test_files_are_taken_or_refused_in_a_sentence(certificates, cert, key, named):
    paths = [str(certificates / name) if name else "" for name in (cert, key)]
    if named is None:
        assert (make_context(*paths) is not None) is bool(cert)
        return
    with pytest.raises(TlsError) as refused:
        make_context(*paths)
    told = str(refused.value)
    assert all(part in told for part in named), told
    assert told.endswith(".")
    assert "\n" not in told


def test_older_than_tls_1_2_is_not_spoken(certificates):
    context = make_context(str(certificates / "first.pem"), str(certificates / "first.key"))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"TLS_CERT": "nowhere.pem", "TLS_KEY": "nowhere.key"}, "nowhere.pem cannot be read"),
        ({"TLS_CERT": "nowhere.pem"}, "server.tls_key must be"),
    ],
)
def test_start_with_bad_files_is_refused_in_one_sentence(capfd, monkeypatch, environment, named):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert server_module.main(["--host", "127.0.0.1", "--port", "0", "--database-url", ""]) == 2
    told = capfd.readouterr().err
    assert told.startswith("server.py: ")
    assert told.count("\n") == 1
    assert named in told


@pytest.fixture
def secure(run_server, certificates, tmp_path):
    """A server with TLS whose files a test may exchange: ``process, cert, key``."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    shutil.copy(certificates / "first.pem", cert)
    shutil.copy(certificates / "first.key", key)
    process = run_server(environment={"TLS_CERT": str(cert), "TLS_KEY": str(key)})
    return process, cert, key


def trusting(certificates, *names):
    """What a client needs to believe these certificates, and no other."""
    context = ssl.create_default_context()
    for name in names:
        context.load_verify_locations(certificates / f"{name}.pem")
    return context


@asynccontextmanager
async def secure_client(process, context):
    """python-socketio's own client over wss, before it connects."""
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector, connector_owner=False) as session:
        client = socketio.AsyncClient(http_session=session, reconnection=False, handle_sigint=False)
        yield client
        await client.disconnect()
    await connector.close(abort_ssl=True)
    transports = asyncio.get_running_loop()._transports  # type: ignore[attr-defined]
    while any(item._sock is not None for item in transports.values()):  # noqa: ASYNC110 (nobody tells)
        await asyncio.sleep(0.01)  # aiohttp leaves the last steps of closing to the loop


def served(process):
    """The certificate that a new connection is shown."""
    host, port = process.url.removeprefix("https://").split(":")
    return ssl.get_server_certificate((host, int(port))).strip()


@pytest.mark.gen_test
async def test_rest_and_streams_over_tls(secure, certificates, fetch):
    process, _, _ = secure
    assert process.url.startswith("https://127.0.0.1:")
    answer = await fetch(process, "/api/symbols", ssl_options=trusting(certificates, "first"))
    assert answer.status == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    own = {"Origin": process.url}
    answer = await fetch(process, "/api/symbols", headers=own, ssl_options=trusting(certificates, "first"))
    assert answer.status == 200  # a page of this server's own has an https origin
    async with secure_client(process, trusting(certificates, "first")) as client:
        updates = asyncio.Queue()
        client.on("option_chain_data", lambda data: updates.put_nowait(("snapshot", data)))
        client.on("option_chain_delta", lambda data: updates.put_nowait(("delta", data)))
        await client.connect(process.url, transports=["websocket"])
        await client.call("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 5})
        kind, snapshot = await asyncio.wait_for(updates.get(), 10)
        assert (kind, snapshot["symbol"]) == ("snapshot", "NIFTY")
        kind, delta = await asyncio.wait_for(updates.get(), 10)
        assert (kind, delta["prev_seq"]) == ("delta", snapshot["seq"])


@pytest.mark.gen_test
async def test_renewed_certificate_is_offered_and_drops_nobody(secure, certificates, fetch):
    process, cert, key = secure
    first, second = ((certificates / f"{name}.pem").read_text().strip() for name in ("first", "second"))
    assert await asyncio.to_thread(served, process) == first
    async with secure_client(process, trusting(certificates, "first")) as client:
        await client.connect(process.url, transports=["websocket"])
        # a renewal caught half way: the certificate is new, the key is not
        shutil.copy(certificates / "second.pem", cert)
        await process.hang_up("the certificate was not reloaded")
        assert "does not belong" in process.log.read_text()
        assert await asyncio.to_thread(served, process) == first
        shutil.copy(certificates / "second.key", key)
        await process.hang_up("reloaded the certificate")
        assert await asyncio.to_thread(served, process) == second
        assert (await client.call("ping", {"still": "here"}, timeout=10))["data"]["sent"] == {"still": "here"}
    answer = await fetch(process, "/health", ssl_options=trusting(certificates, "second"))
    assert answer.status == 200


@pytest.mark.gen_test
async def test_connection_that_never_shakes_hands_is_closed(make_sandbox, certificates):
    files = {"tls_cert": str(certificates / "first.pem"), "tls_key": str(certificates / "first.key")}
    sandbox = await make_sandbox(server=files, limits={"connect_timeout_s": 0.2})
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sandbox.url.rpartition(":")[2]))
    assert await reader.read(1) == b""
    writer.close()
    await writer.wait_closed()


def test_plain_http_to_the_port_gets_no_answer_and_hurts_nobody(secure, certificates):
    process, _, _ = secure
    host, port = process.url.removeprefix("https://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as stranger:
        stranger.sendall(b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n")
        with suppress(ConnectionResetError):
            assert b"HTTP" not in stranger.recv(4096)
    assert served(process) == (certificates / "first.pem").read_text().strip()


@pytest.mark.gen_test
async def test_turning_tls_on_needs_a_restart(run_server, certificates, tmp_path, fetch):
    settings = tmp_path / "settings.toml"
    settings.write_text("")
    process = run_server("--settings", str(settings))
    cert, key = certificates / "first.pem", certificates / "first.key"
    settings.write_text(f"[server]\ntls_cert = '{cert}'\ntls_key = '{key}'\n")
    await process.hang_up("TLS is turned on or off by a restart only")
    answer = await fetch(process, "/health")
    assert answer.status == 200
    assert "Strict-Transport-Security" not in answer.headers
